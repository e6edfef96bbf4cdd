// Steps without a function: they pass rows on, filter them, or combine branches.
import { branchColumn, parsePlace, placeColumn, type RowPlace, type Span } from '../../schema/index.ts';
import type { PassingRunnable } from '../pipeline/index.ts';
import { rowBytes } from '../rows/index.ts';
import type { BatchEnd } from '../scheduler/index.ts';
import type { Attempt } from './attempt.ts';
import { OutputWriter } from './output-writer.ts';

/** Places of missing rows that an event names at most. */
const missingPlacesMax = 100;

/** Runs a batch of a step without a function. */
export async function runPassThrough(attempt: Attempt, step: PassingRunnable): Promise<BatchEnd> {
  await attempt.closeJournal();
  switch (step.operator) {
    case 'join':
      return runJoin(attempt, step);
    case 'union':
      return runUnion(attempt, step);
    default:
      return passRows(attempt, step);
  }
}

/** Passes on the rows of one upstream step, or those of them that the step selects. */
async function passRows(attempt: Attempt, step: Exclude<PassingRunnable, { readonly operator: 'join' | 'union' }>): Promise<BatchEnd> {
  const { context, task } = attempt;
  const writer = new OutputWriter(step.adds, context.chunks, true);
  let first = 0;
  for await (const part of context.reader.inputParts(step.name, task.inputs)) {
    const isSelected = await rowSelector(step, (name) => part.column(name));
    for (let row = 0; row < part.count; row++) if (isSelected(row)) await writer.add([], first + row, 0);
    first += part.count;
  }
  return attempt.succeedWith(writer.end(), { rowsIn: first });
}

async function rowSelector(
  step: Exclude<PassingRunnable, { readonly operator: 'join' | 'union' }>,
  column: (name: string) => Promise<readonly unknown[]>,
): Promise<(row: number) => boolean> {
  if (step.operator === 'branch') {
    const branches = await column(branchColumn);
    return (row) => branches[row] === step.branch;
  }
  if (step.operator !== 'nonNull') return () => true;
  const values = await Promise.all(step.inputColumns.map(column));
  return (row) => values.every((column) => column[row] !== null);
}

/** Passes on the rows of all branches, in the order of their fork, or in input order if they have no fork. */
async function runUnion(attempt: Attempt, step: PassingRunnable): Promise<BatchEnd> {
  const { context, task } = attempt;
  const input = await context.reader.input(step.name, task.inputs);
  const order = Array.from({ length: input.count }, (_, row) => row);
  if (step.fork !== null) {
    const places = (await input.column(placeColumn(step.fork))).map(parsePlace);
    order.sort((a, b) => byPlace(places[a] as RowPlace, places[b] as RowPlace) || a - b);
  }
  const writer = new OutputWriter(step.adds, context.chunks, true);
  for (const row of order) await writer.add([], row, 0);
  return attempt.succeedWith(writer.end(), { rowsIn: input.count });
}

/** Joins the rows that every branch has, in the order of their fork. In a later pass, joins only rows that are complete since the pass before. */
async function runJoin(attempt: Attempt, step: PassingRunnable): Promise<BatchEnd> {
  const { context, task } = attempt;
  const branches = await Promise.all(
    step.upstream.map((upstream) =>
      branchRows(
        attempt,
        step,
        task.inputs.filter((span) => span.step === upstream),
      ),
    ),
  );
  const all = new Set(branches.flatMap((rows) => Array.from(rows).flatMap(([place, { isNew }]) => (isNew ? place : []))));
  const inOrder = [...all].sort((a, b) => byPlace(parsePlace(a), parsePlace(b)));
  const writer = new OutputWriter(step.adds, context.chunks, false);
  const missing = step.upstream.map((name) => ({ step: name, count: 0, places: [] as string[] }));
  for (const place of inOrder) {
    const rows = branches.map((branch) => branch.get(place)?.row);
    if (rows.every((row) => row !== undefined)) {
      const values = rows.map(String);
      const storing = writer.add(values, 0, rowBytes(values));
      if (storing) await storing;
      continue;
    }
    for (const [index, row] of rows.entries()) {
      const missingOfBranch = missing[index];
      if (row !== undefined || !missingOfBranch) continue;
      missingOfBranch.count++;
      if (missingOfBranch.places.length < missingPlacesMax) missingOfBranch.places.push(place);
    }
  }
  // Rows that a branch had in an earlier pass were counted in that pass.
  const rowsIn = inOrder.filter((place) => branches.every((branch) => branch.get(place)?.isNew ?? true)).length;
  return attempt.succeedWith(writer.end(), { rowsIn, missing: missing.filter(({ count }) => count > 0) });
}

/** Returns a branch's rows by their place at the fork: their number in the branch's input, and whether they are of this pass. */
async function branchRows(
  { context, task }: Attempt,
  step: PassingRunnable,
  spans: readonly Span[],
): Promise<ReadonlyMap<string, { readonly row: number; readonly isNew: boolean }>> {
  const found = new Map<string, { row: number; isNew: boolean }>();
  let row = 0;
  for (const span of spans) {
    const view = await context.reader.input(step.name, [span]);
    for (const place of (await view.column(placeColumn(step.fork ?? ''))) as readonly string[]) {
      found.set(place, { row: row++, isNew: span.pass === task.pass });
    }
  }
  return found;
}

const byPlace = (a: RowPlace, b: RowPlace): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
