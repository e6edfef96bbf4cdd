import type { GraphState } from '../../projections/index.ts';
import { parsePlace, placeColumn, type ManifestStep, type Span, type TriedAgain } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';
import { documentChunk, rejectedRows, rowReader, type RejectedRow, type RowReader } from '../rows/index.ts';
import type { Reopening } from '../scheduler/index.ts';

/** Rejected rows of a run that a new pass tries again. */
export interface TriedRows {
  readonly runId: string;
  readonly before: GraphState;
  /** Nothing after it is read. */
  readonly position: number;
  readonly manifest: readonly ManifestStep[];
  readonly tried: readonly RejectedRow[];
}

/** Describes a pass over rejected rows, as its event holds it: how many they are, by step, cause and batch, and where they stand. */
export async function triedAgain(store: Store, rows: TriedRows): Promise<Pick<Reopening, 'rejected' | 'again' | 'rows'>> {
  const { runId, position, manifest, tried } = rows;
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId: runLogId(runId), to: position, steps: manifest });
  const spansOf = new Map<string, Readonly<Record<string, readonly Span[]>>>();
  const again = new Map<string, readonly [number, number][]>();
  for (const [step, ofStep] of Map.groupBy(tried, (row) => row.step)) {
    const batches = [...Map.groupBy(ofStep, ({ batch }) => batch)].sort(([a], [b]) => a - b);
    const spans: Record<string, readonly Span[]> = {};
    for (const [batch, ofBatch] of batches) spans[batch] = await inputSpans(store, reader, ofBatch, rows);
    spansOf.set(step, spans);
    again.set(
      step,
      batches.map(([batch, ofBatch]) => [batch, ofBatch.length]),
    );
  }
  return {
    rejected: Array.from(Map.groupBy(tried, ({ step, code }) => JSON.stringify([step, code])).values(), (group) => ({
      step: group[0]?.step ?? '',
      code: group[0]?.code ?? '',
      rows: group.length,
    })),
    again: Object.fromEntries(again),
    rows: documentChunk(Object.fromEntries(spansOf) satisfies TriedAgain),
  };
}

/** Finds the rows that these steps are owed: those that each rejected before it paused the run for good reason or bad. Null: there are none. */
export async function owedRows(
  store: Store,
  { runId, before, manifest, steps }: Omit<TriedRows, 'tried' | 'position'> & { readonly steps: readonly string[] },
): Promise<Reopening | null> {
  const until = Object.fromEntries(steps.map((name): [string, number] => [name, before.steps[name]?.owedUntil ?? 0]));
  const position = Math.max(0, ...Object.values(until));
  const tried: RejectedRow[] = [];
  for await (const row of rejectedRows(store, runId, position))
    if (Object.hasOwn(until, row.step) && row.position <= (until[row.step] ?? 0)) tried.push(row);
  if (tried.length === 0) return null;
  return { steps, codes: null, until, ...(await triedAgain(store, { runId, before, position, manifest, tried })) };
}

/** Where the rows of one batch that were rejected, in whatever pass, stand in the output of the step above. */
async function inputSpans(
  store: Store,
  reader: RowReader,
  batch: readonly RejectedRow[],
  { runId, position, before }: TriedRows,
): Promise<Span[]> {
  const spans: Span[] = [];
  for (const rows of Map.groupBy(batch, ({ pass }) => pass).values()) {
    const [first] = rows;
    if (!first) continue;
    const { step, pass } = first;
    const upstream = before.steps[step]?.plan.upstream[0] ?? '';
    const success = await store.log.success(runLogId(runId), { pass, step, batch: first.batch, to: position });
    const places = await (await reader.input(step, success?.data.inputs ?? [])).column(placeColumn(upstream));
    for (const { row } of rows.toSorted((a, b) => a.row - b.row)) {
      const [ofPass, ofBatch, at] = parsePlace(places[row]);
      const last = spans.at(-1);
      if (last?.pass === ofPass && last.to[0] === ofBatch && last.to[1] === at)
        spans[spans.length - 1] = { ...last, to: [ofBatch, at + 1] };
      else spans.push({ step: upstream, pass: ofPass, from: [ofBatch, at], to: [ofBatch, at + 1] });
    }
  }
  return spans;
}
