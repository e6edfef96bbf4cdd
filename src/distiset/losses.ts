import type { RecordedEvent, Span } from '#schema';
import type { JsonObject } from '#kit/json';
import { runLogId, type Store } from '#log';
import { rejectedRows, rowReader, rowsOf, type RejectedRow } from '#rows';
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

/**
 * Everything that was lost in a run up to a position: rows one by one, without those that a later pass tried again, then batches. Rows are read when
 * they are asked for.
 */
export async function* losses(store: Store, runId: string, to: number): AsyncGenerator<LostRow | FailedBatch> {
  const { log, chunks } = store;
  const logId = runLogId(runId);
  const [started, definition] = await beginning(store, logId);
  const reader = rowReader({ log, chunks, logId, to, steps: started.data.manifest.steps });

  const inputRows = async (step: string, spans: readonly Span[], from?: number, until?: number): Promise<readonly JsonObject[]> => {
    const [first] = spans;
    if (!first) return [];
    const columns = definition.steps.find(({ name }) => name === first.step)?.columns.map(({ name }) => name) ?? [];
    return rowsOf(await reader.input(step, spans), columns, from, until);
  };

  for await (const rejected of rejectedRows(store, runId, to)) {
    const input = async () => {
      const success = await log.success(logId, { ...rejected, to });
      return (await inputRows(rejected.step, success?.data.inputs ?? [], rejected.row, rejected.row + 1))[0] ?? null;
    };
    yield { kind: 'row', ...rejected, input };
  }
  for await (const page of log.read(logId, { to, types: ['BatchFailed'] })) {
    for (const event of page) {
      if (event.type !== 'BatchFailed' || event.data.retryInMs !== null) continue;
      const { step, pass, batch, position, attempt, data } = event;
      const { code, message } = data.error;
      const inputs = async () => inputRows(step, await inputsOf(store, event));
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
