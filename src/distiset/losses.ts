import type { RecordedEvent, Span } from '../../schema/index.ts';
import type { JsonObject } from '../kit/json.ts';
import { runLogId, type Store } from '../log/index.ts';
import { columnsOf, rejectedBatches, rowBuilder, rowReader, type RejectedRow } from '../rows/index.ts';
import { beginning } from './beginning.ts';

/** A row that a step gave up. */
export interface LostRow extends RejectedRow {
  readonly kind: 'row';
  /** The row as it went into the step; null for a source's, which was never stored. */
  input(): Promise<JsonObject | null>;
}

/** A batch that was given up, and yields no rows. */
export interface FailedBatch extends Pick<RejectedRow, 'step' | 'pass' | 'batch' | 'position' | 'code' | 'message' | 'attempts'> {
  readonly kind: 'batch';
  /** Input rows that were still to be done. */
  readonly rows: number;
  /** All rows of its input; none for a source. */
  inputs(): Promise<readonly JsonObject[]>;
}

/** Reads rows that went into steps, of one run as of a position. */
interface InputReader {
  readonly logId: string;
  /** Returns what makes the rows of an input, by their numbers. Null: the step has none, as a source. */
  table(step: string, spans: readonly Span[]): Promise<InputTable | null>;
}

interface InputTable {
  readonly count: number;
  rowAt(row: number): JsonObject;
}

async function inputReader(store: Store, runId: string, to: number): Promise<InputReader> {
  const logId = runLogId(runId);
  const [started, definition] = await beginning(store, logId);
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId, to, steps: started.data.manifest.steps });
  // One list a step: what makes rows is compiled for a list, once.
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
 * Yields everything that was lost in a run up to a position: rows one by one, without those that a later pass tried again, then batches. Inputs are read
 * when they are asked for, those of one batch together.
 */
export async function* losses(store: Store, runId: string, to: number): AsyncGenerator<LostRow | FailedBatch> {
  yield* lostRows(store, runId, to);
  yield* failedBatches(store, runId, to);
}

/** Yields the rows alone. */
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

/** Yields the batches that were given up alone. */
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

/** Positions that are looked through first for the start of a batch that failed; it is rarely far. */
const firstLook = 1_000;

/** What went into a batch, from the event that started it: looked for backwards, so that the length of the log before it costs nothing. */
async function inputsOf({ log }: Store, { logId, position, pass, step, batch }: RecordedEvent<'BatchFailed'>): Promise<readonly Span[]> {
  let to = position - 1;
  for (let look = firstLook; to > 0; look *= 2) {
    const from = Math.max(1, to - look + 1);
    for await (const page of log.read(logId, { from, to, step, types: ['BatchStarted'] })) {
      for (const event of page) {
        if (event.type === 'BatchStarted' && event.pass === pass && event.batch === batch) return event.data.inputs;
      }
    }
    to = from - 1;
  }
  return [];
}
