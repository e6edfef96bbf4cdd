import type { RecordedEvent, Rejection, Span } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';
import { rejectionsOf } from './batch-chunks.ts';

/** A row that was given up, with its place: its number is that of the batch's input. */
export interface RejectedRow extends Rejection {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
  readonly position: number;
}

/** The rows of one batch that were given up, at least one, and what went into the batch. */
export interface RejectedBatch {
  readonly inputs: readonly Span[];
  readonly rows: readonly RejectedRow[];
}

/** Yields the rows of a run that were given up by a position, in the order of the log, without those that a later pass tried again. */
export async function* rejectedRows(store: Store, runId: string, to: number): AsyncGenerator<RejectedRow> {
  for await (const { rows } of rejectedBatches(store, runId, to)) yield* rows;
}

/** Yields the same rows batch by batch, so that what went into a batch is looked up once for all of its rows. */
export async function* rejectedBatches(store: Store, runId: string, to: number): AsyncGenerator<RejectedBatch> {
  const rejectedIn = await rejectedRowsReader(store, runId, to);
  for await (const page of store.log.read(runLogId(runId), { to, types: ['BatchSucceeded'] })) {
    for (const event of page) {
      if (event.type !== 'BatchSucceeded') continue;
      const rows = await rejectedIn(event);
      if (rows.length > 0) yield { inputs: event.data.inputs, rows };
    }
  }
}

/** Returns the same rows of one batch, in the order of its input. */
export type RejectedRowsReader = (success: RecordedEvent<'BatchSucceeded'>) => Promise<readonly RejectedRow[]>;

/** Makes a reader of one run's rejected rows as of a position. */
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
