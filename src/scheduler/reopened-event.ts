import type { NewEvent } from '../../schema/index.ts';
import type { Chunk } from '../log/index.ts';

type ReopenedData = NewEvent<'RunReopened'>['data'];

/** A new pass over rows that were rejected. */
export interface Reopening {
  readonly steps: readonly string[];
  readonly codes: readonly string[] | null;
  readonly rejected: ReopenedData['rejected'];
  readonly again: ReopenedData['again'];
  /** By step, the position up to which its rejected rows are retried. A step that is not named retries all of them. */
  readonly until: ReopenedData['until'];
  /** The input rows to retry, as a chunk that holds a `TriedAgain`. */
  readonly rows: Chunk;
}

/** Returns the event that begins a pass. Its chunk must be stored before it is appended. */
export const reopenedEvent = (
  { rows, ...which }: Reopening,
  facts: Pick<ReopenedData, 'pass' | 'epoch' | 'actor' | 'program' | 'loaded'>,
): NewEvent<'RunReopened'> => ({ type: 'RunReopened', chunks: [rows.sha256], data: { ...which, ...facts } });
