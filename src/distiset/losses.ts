import type { RecordedEvent, Span } from '../../schema/index.ts';
import type { JsonObject } from '../kit/json.ts';
import { runLogId, type Store } from '../log/index.ts';
import { columnsOf, rejectedBatches, rowBuilder, rowReader, type RejectedRow } from '../rows/index.ts';
import { readBeginning } from './beginning.ts';

/** A row that a step rejected. */
export interface LostRow extends RejectedRow {
  readonly kind: 'row';
  /** Reads the step's input row. Null for a source, whose items are never stored. */
  input(): Promise<JsonObject | null>;
}

/** A batch that was given up and has no rows. */
export interface FailedBatch extends Pick<RejectedRow, 'step' | 'pass' | 'batch' | 'position' | 'code' | 'message' | 'attempts'> {
  readonly kind: 'batch';
  /** Number of input rows that were not done. */
  readonly rows: number;
  /** Reads all rows of its input. A source has none. */
  inputs(): Promise<readonly JsonObject[]>;
}

/** Reads input rows of the steps of a run, as of a position. */
interface InputReader {
  readonly logId: string;
  /** Returns the rows of an input, by number, or null if the step has no input, as a source. */
  table(step: string, spans: readonly Span[]): Promise<InputTable | null>;
}

interface InputTable {
  readonly count: number;
  rowAt(row: number): JsonObject;
}

async function inputReader(store: Store, runId: string, to: number): Promise<InputReader> {
  const logId = runLogId(runId);
  const [started, definition] = await readBeginning(store, logId);
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId, to, steps: started.data.manifest.steps });
  // One list per step, because the row maker is compiled once per list.
  const columnsBy = new Map(definition.steps.map(({ name, columns }) => [name, columns.map((column) => column.name)]));
  return {
    logId,
    table: async (step, spans) => {
      const [first] = spans;
      if (!first) return null;
      const columns = columnsBy.get(first.step) ?? [];
      const view = await reader.input(step, spans);
      const values = await columnsOf(view, columns);
      const rowAt = rowBuilder(columns);
      return { count: view.count, rowAt: (row) => rowAt(values, row) };
    },
  };
}

/**
 * Yields all losses of a run up to a position: first rejected rows, except those that a later pass retried, then batches. Inputs are read on demand, all
 * inputs of a batch together.
 */
export async function* losses(store: Store, runId: string, to: number): AsyncGenerator<LostRow | FailedBatch> {
  yield* lostRows(store, runId, to);
  yield* failedBatches(store, runId, to);
}

/** Yields only the rejected rows. */
export async function* lostRows(store: Store, runId: string, to: number): AsyncGenerator<LostRow> {
  const reader = await inputReader(store, runId, to);
  for await (const { inputs, rows } of rejectedBatches(store, runId, to)) {
    let table: Promise<InputTable | null> | undefined;
    for (const row of rows) {
      const input = async () => {
        table ??= reader.table(row.step, inputs);
        return (await table)?.rowAt(row.row) ?? null;
      };
      yield { kind: 'row', ...row, input };
    }
  }
}

/** Yields only the batches that were given up. */
export async function* failedBatches(store: Store, runId: string, to: number): AsyncGenerator<FailedBatch> {
  const reader = await inputReader(store, runId, to);
  for await (const page of store.log.read(reader.logId, { to, types: ['BatchFailed'] })) {
    for (const event of page) {
      if (event.type !== 'BatchFailed' || event.data.retryInMs !== null) continue;
      const { step, pass, batch, position, attempt, data } = event;
      const { code, message } = data.error;
      const inputs = async () => {
        const table = await reader.table(step, await inputsOf(store, event));
        return Array.from({ length: table?.count ?? 0 }, (_, row) => (table as InputTable).rowAt(row));
      };
      yield { kind: 'batch', step, pass, batch, position, code, message, attempts: attempt, rows: data.pending, inputs };
    }
  }
}

/** Number of positions searched first for the start of a failed batch, which is rarely far away. */
const firstSearchLength = 1_000;

/** Returns the input of a batch from the event that started it. It searches backwards, so its cost does not depend on the length of the log. */
async function inputsOf({ log }: Store, { logId, position, pass, step, batch }: RecordedEvent<'BatchFailed'>): Promise<readonly Span[]> {
  let to = position - 1;
  for (let searchLength = firstSearchLength; to > 0; searchLength *= 2) {
    const from = Math.max(1, to - searchLength + 1);
    for await (const page of log.read(logId, { from, to, step, types: ['BatchStarted'] })) {
      for (const event of page) {
        if (event.type === 'BatchStarted' && event.pass === pass && event.batch === batch) return event.data.inputs;
      }
    }
    to = from - 1;
  }
  return [];
}
