import type { NewEvent } from '../../schema/index.ts';

type ReopenedData = NewEvent<'RunReopened'>['data'];

/** A new pass that retries rejected rows. */
export interface RetryPass {
  readonly steps: readonly string[];
  readonly codes: readonly string[] | null;
  readonly rejected: ReopenedData['rejected'];
  readonly again: ReopenedData['again'];
  /** By step, the position up to which its rejected rows are retried. A step that is not named retries all of them. */
  readonly until: ReopenedData['until'];
  /** The first batch of each chunk. */
  readonly pages: ReopenedData['pages'];
  /** Addresses of the stored chunks that name the input rows to retry, each a `TriedAgain`. */
  readonly chunks: readonly string[];
}

/** Returns the event that begins a pass. */
export const reopenedEvent = (
  { chunks, ...which }: RetryPass,
  facts: Pick<ReopenedData, 'pass' | 'epoch' | 'actor' | 'program' | 'loaded'>,
): NewEvent<'RunReopened'> => ({ type: 'RunReopened', chunks, data: { ...which, ...facts } });
