import type { Call, Definition, DefinitionStep, Failure, ManifestStep, RecordedEvent, Rejection } from '../../schema/index.ts';
import { placeColumn } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';
import { runLogId, type Store } from '../log/index.ts';
import { callsOf, rejectionsOf, rowReader, rowsOf, type RowName, type RowReader } from '../rows/index.ts';
import { readBeginning } from './beginning.ts';
import { definitionAt, runDefinitions } from './run-definitions.ts';

/** The history of a row in one step. */
export interface TraceStep {
  readonly name: RowName;
  readonly operator: ManifestStep['operator'];
  /** The position and time of its batch's success, and the duration of the attempt. */
  readonly position: number;
  readonly recordedAt: string;
  readonly elapsedMs: number;
  /** The columns that the step wrote, with their values. */
  readonly wrote: JsonObject;
  /** Earlier failed attempts at the batch, in order, each with the error of its first failed row. */
  readonly failures: readonly {
    readonly attempt: number;
    readonly position: number;
    readonly recordedAt: string;
    readonly error: Failure;
  }[];
  /** Earlier passes in which the row was rejected. */
  readonly rejections: readonly (Rejection & { readonly pass: number; readonly position: number; readonly recordedAt: string })[];
  /** Calls for the row, as the step reported them, including failed ones. */
  readonly calls: readonly Call[];
  /** The position and time of the definition under which the row was made. Definitions after the first come from `--accept-changes`. */
  readonly definition: { readonly position: number; readonly recordedAt: string };
  /** A library step's settings in that definition, including prompts. */
  readonly settings: DefinitionStep['settings'];
  /** The rows that it is made of, each with its own history. */
  readonly parents: readonly TraceStep[];
  /** Number of input rows, if the row is made of many, or else null. */
  readonly madeOf: number | null;
}

/** Returns the whole ancestry of a row: its history in each step above, with attempts, calls and positions. Throws `Fault('unknown-row')`. */
export async function traceRow(store: Store, runId: string, row: RowName, to: number): Promise<TraceStep> {
  const [started] = await readBeginning(store, runLogId(runId));
  const { steps } = started.data.manifest;
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId: runLogId(runId), to, steps });
  return trace({ store, runId, to, definitionFor: await definitionsByPosition(store, runId, to), steps, reader }, row);
}

/** A definition with its position. */
interface PlacedDefinition {
  readonly place: TraceStep['definition'];
  readonly definition: Definition;
}

/** Returns a function that finds the definition that applied at a position. Each definition is read once. */
async function definitionsByPosition(store: Store, runId: string, to: number): Promise<Tracing['definitionFor']> {
  const definitions = await runDefinitions(store, runId, to);
  const read = new Map<number, Promise<Definition>>();
  return async (madeAt) => {
    const { position, recordedAt, read: readIt } = definitionAt(definitions, madeAt);
    const reading = read.get(position) ?? readIt();
    read.set(position, reading);
    return { place: { position, recordedAt }, definition: await reading };
  };
}

/** Returns the n-th row of a step (from 0), in the order of its dataset as of a position. Throws `Fault('unknown-row')`. */
export async function rowAt(store: Store, runId: string, step: string, index: number, to: number): Promise<RowName> {
  let rowCount = 0;
  for await (const page of store.log.readSuccesses(runLogId(runId), { step, to })) {
    for (const { pass, batch, data } of page) {
      if (index < rowCount + data.rows) return { step, pass, batch, row: index - rowCount };
      rowCount += data.rows;
    }
  }
  await refuseUnknownStep(store, runId, step);
  const extent = rowCount === 0 ? 'none' : `${rowCount}, the last of which is ${step}:${rowCount - 1}`;
  throw new Fault('unknown-row', `Step ${step} of run ${runId} has no row ${index} up to position ${to}: it has ${extent}.`, {
    details: { step },
  });
}

async function refuseUnknownStep(store: Store, runId: string, step: string): Promise<void> {
  const [started] = await readBeginning(store, runLogId(runId));
  const names = started.data.manifest.steps.map(({ name }) => name);
  if (names.includes(step)) return;
  throw new Fault('unknown-step', `Run ${runId} has no step ${step}. Its steps: ${names.join(', ')}.`, { details: { step } });
}

interface Tracing {
  readonly store: Store;
  readonly runId: string;
  readonly to: number;
  readonly definitionFor: (madeAt: number) => Promise<PlacedDefinition>;
  readonly steps: readonly ManifestStep[];
  readonly reader: RowReader;
}

async function trace(tracing: Tracing, name: RowName): Promise<TraceStep> {
  const { store, runId, to, definitionFor, steps, reader } = tracing;
  const step = steps.find((candidate) => candidate.name === name.step);
  const success = step && (await store.log.success(runLogId(runId), { ...name, to }));
  if (!step || !success || name.row >= success.data.rows) {
    await refuseUnknownStep(store, runId, name.step);
    const missingRow = `row ${name.row} in batch ${name.batch} of step ${name.step}${name.pass > 1 ? `, pass ${name.pass}` : ''}`;
    const extent = success ? `that batch has ${success.data.rows} rows` : 'no such batch has succeeded';
    throw new Fault('unknown-row', `Run ${runId} has no ${missingRow} up to position ${to}: ${extent}.`, { details: { step: name.step } });
  }
  const parents = await reader.parents(name);
  const events = await store.log.readBatch(runLogId(runId), { ...name, to });
  const place = parents.length === 1 ? parents[0] : undefined;
  const input = place && (await inputRow(tracing, success, place));
  const rowEvent = step.operator === 'source' ? itemRecorded(events, name.row) : rowRecorded(events, input);
  const { place: definition, definition: defined } = await definitionFor(rowEvent?.position ?? success.position);
  const definedStep = defined.steps.find((candidate) => candidate.name === name.step);
  const columns = step.adds.filter((column) => definedStep?.columns.some((candidate) => candidate.name === column));
  const wrote = await valuesOf(reader, name, columns);
  return {
    name,
    operator: step.operator,
    position: success.position,
    recordedAt: success.recordedAt,
    elapsedMs: success.data.elapsedMs,
    wrote,
    failures: events
      .filter((event) => event.type === 'BatchFailed')
      .map(({ attempt, position, recordedAt, data }) => ({ attempt, position, recordedAt, error: data.error })),
    rejections: place ? await earlierRejections(tracing, name, place) : [],
    calls: await callsAbout(store, events, step.operator === 'mapBatch' ? undefined : input),
    definition,
    settings: definedStep?.settings ?? null,
    parents: await Promise.all(parents.map((parent) => trace(tracing, parent))),
    madeOf: step.operator === 'batch' || step.operator === 'global' ? success.data.rowsIn : null,
  };
}

/**
 * Returns the event that recorded an input row as done before its batch succeeded, if there is one. An interrupted batch keeps such rows even if it continues
 * under another definition.
 */
const rowRecorded = (events: readonly RecordedEvent[], input: number | undefined): RecordedEvent | undefined =>
  events.findLast(
    (event) =>
      (event.type === 'BatchProgressed' || event.type === 'BatchFailed') &&
      event.data.done.some(([from, to]) => input !== undefined && from <= input && input < to),
  );

/** Returns the same event for an output row of a source, whose rows are recorded in order. */
function itemRecorded(events: readonly RecordedEvent[], row: number): RecordedEvent | undefined {
  let rows = 0;
  return events.find((event) => {
    if (event.type !== 'BatchProgressed' && event.type !== 'BatchFailed') return false;
    rows += event.data.rows;
    return row < rows;
  });
}

async function valuesOf(reader: RowReader, name: RowName, columns: readonly string[]): Promise<JsonObject> {
  let first = 0;
  for await (const part of reader.output(name)) {
    if (name.row < first + part.count) return (await rowsOf(part, columns, name.row - first, name.row - first + 1))[0] ?? {};
    first += part.count;
  }
  return {};
}

/** Returns the number of the row at a place in a batch's input. */
async function inputRow({ reader }: Tracing, { step, data }: RecordedEvent<'BatchSucceeded'>, place: RowName): Promise<number> {
  const places = await (await reader.input(step, data.inputs)).column(placeColumn(place.step));
  return places.indexOf(`${place.pass}/${place.batch}/${place.row}`);
}

async function callsAbout(store: Store, events: readonly RecordedEvent[], row: number | undefined): Promise<readonly Call[]> {
  const calls: Call[] = [];
  for (const event of events) {
    if (event.type !== 'BatchSucceeded' && event.type !== 'BatchFailed' && event.type !== 'BatchProgressed') continue;
    for (const call of await callsOf(event, store.chunks)) if (row === undefined || call.row === row) calls.push(call);
  }
  return calls;
}

/** Lists the rejections of the row at a place in earlier passes. */
async function earlierRejections(tracing: Tracing, { step, pass, batch }: RowName, place: RowName): Promise<TraceStep['rejections']> {
  const { store, runId, to } = tracing;
  const found: TraceStep['rejections'][number][] = [];
  for (let earlierPass = 1; earlierPass < pass; earlierPass++) {
    const success = await store.log.success(runLogId(runId), { pass: earlierPass, step, batch, to });
    if (!success || success.data.rejected.count === 0) continue;
    const row = await inputRow(tracing, success, place);
    const rejection = (await rejectionsOf(success, store.chunks)).find((candidate) => candidate.row === row);
    if (rejection) found.push({ ...rejection, pass: earlierPass, position: success.position, recordedAt: success.recordedAt });
  }
  return found;
}
