import type { RecordedEvent, Span } from '#schema';
import type { JsonObject } from '#kit/json';
import { runLogId, type Store } from '#log';
import { rejectionsOf, rowReader, rowsOf } from '#rows';
import { beginning } from './create-distiset.ts';

interface Lost {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
  /** Of the event that tells it. */
  readonly position: number;
  readonly code: string;
  readonly message: string;
  /** How often it was tried. */
  readonly attempts: number;
}

/** A row that a step gave up. */
export interface RejectedRow extends Lost {
  readonly kind: 'row';
  /** Its number in the batch's input; for a source: in what was read. */
  readonly row: number;
  /** The row as it went into the step; null for a source's, which was never stored. */
  input(): Promise<JsonObject | null>;
}

/** A batch that was given up, and yields no rows. */
export interface FailedBatch extends Lost {
  readonly kind: 'batch';
  /** Input rows that were still to be done. */
  readonly rows: number;
  /** All rows of its input; none for a source. */
  inputs(): Promise<readonly JsonObject[]>;
}

/** Everything that was lost in a run up to a position, in the order of the log: rows one by one, and batches. Rows are read when they are asked for. */
export async function* losses(store: Store, runId: string, to: number): AsyncGenerator<RejectedRow | FailedBatch> {
  const { log, chunks } = store;
  const logId = runLogId(runId);
  const [, definition] = await beginning(store, logId);
  const reader = rowReader({ log, chunks, logId, to });

  const inputRows = async (spans: readonly Span[], from?: number, until?: number): Promise<readonly JsonObject[]> => {
    const [first] = spans;
    if (!first) return [];
    const columns = definition.steps.find(({ name }) => name === first.step)?.columns.map(({ name }) => name) ?? [];
    return rowsOf(await reader.input(spans), columns, from, until);
  };
  const rejected = async (event: RecordedEvent<'BatchSucceeded'>): Promise<readonly RejectedRow[]> => {
    const { step, pass, batch, position, data } = event;
    return (await rejectionsOf(event, chunks)).map((rejection) => ({
      kind: 'row',
      step,
      pass,
      batch,
      position,
      ...rejection,
      input: async () => (await inputRows(data.inputs, rejection.row, rejection.row + 1))[0] ?? null,
    }));
  };
  const failed = (event: RecordedEvent<'BatchFailed'>): FailedBatch => {
    const { step, pass, batch, position, attempt, data } = event;
    const { code, message } = data.error;
    const inputs = async () => inputRows(await inputsOf(store, event));
    return { kind: 'batch', step, pass, batch, position, code, message, attempts: attempt, rows: data.pending, inputs };
  };

  for await (const page of log.read(logId, { to, types: ['BatchSucceeded', 'BatchFailed'] })) {
    for (const event of page) {
      if (event.type === 'BatchFailed' && event.data.retryInMs === null) yield failed(event);
      if (event.type === 'BatchSucceeded' && event.data.rejected.count > 0) yield* await rejected(event);
    }
  }
}

/** What went into a batch, from the event that started it. */
async function inputsOf({ log }: Store, { logId, position, pass, step, batch }: RecordedEvent<'BatchFailed'>): Promise<readonly Span[]> {
  for await (const page of log.read(logId, { to: position, step, types: ['BatchStarted'] })) {
    for (const event of page) {
      if (event.type === 'BatchStarted' && event.pass === pass && event.batch === batch) return event.data.inputs;
    }
  }
  return [];
}
