import type { RecordedEvent, Rejection, Span } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';
import { rejectionsOf } from './batch-chunks.ts';

/** A rejected row, with its place. `row` is its number in the batch's input. */
export interface RejectedRow extends Rejection {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
  readonly position: number;
}

/** The rejected rows of one batch, at least one, and the batch's input. */
export interface RejectedBatch {
  readonly inputs: readonly Span[];
  readonly rows: readonly RejectedRow[];
}

/** Yields the rejected rows of a run as of a position, in the order of the log, without those that a later pass tried again. */
export async function* rejectedRows(store: Store, runId: string, to: number): AsyncGenerator<RejectedRow> {
  for await (const { rows } of rejectedBatches(store, runId, to)) yield* rows;
}

/** Yields the same rows batch by batch, so that a caller looks up a batch's input once for all of its rows. */
export async function* rejectedBatches(store: Store, runId: string, to: number): AsyncGenerator<RejectedBatch> {
  const readRejected = await rejectedRowsReader(store, runId, to);
  for await (const page of store.log.read(runLogId(runId), { to, types: ['BatchSucceeded'] })) {
    for (const event of page) {
      if (event.type !== 'BatchSucceeded') continue;
      const rows = await readRejected(event);
      if (rows.length > 0) yield { inputs: event.data.inputs, rows };
    }
  }
}

/** Returns the rejected rows of one batch, in the order of its input, without those that a later pass tried again. */
export type RejectedRowsReader = (success: RecordedEvent<'BatchSucceeded'>) => Promise<readonly RejectedRow[]>;

/** Creates a reader of one run's rejected rows as of a position. */
export async function rejectedRowsReader({ log, chunks }: Store, runId: string, to: number): Promise<RejectedRowsReader> {
  const reopened: RecordedEvent<'RunReopened'>[] = [];
  for await (const page of log.read(runLogId(runId), { to, types: ['RunReopened'] }))
    for (const event of page) if (event.type === 'RunReopened') reopened.push(event);
  const isTriedAgain = ({ step, position, code }: RejectedRow) =>
    reopened.some(
      ({ position: later, data }) =>
        later > position &&
        Object.hasOwn(data.again, step) &&
        (data.codes?.includes(code) ?? true) &&
        (!Object.hasOwn(data.until, step) || position <= (data.until[step] ?? 0)),
    );
  return async (event) => {
    if (event.data.rejected.count === 0) return [];
    const { step, pass, batch, position } = event;
    const all = (await rejectionsOf(event, chunks)).map((rejection): RejectedRow => ({ step, pass, batch, position, ...rejection }));
    return all.filter((row) => !isTriedAgain(row));
  };
}
