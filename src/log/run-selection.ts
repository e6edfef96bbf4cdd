import type { EventType } from '../../schema/index.ts';
import type { Instant, Timestamp } from '../kit/instant.ts';

/** Selects the runs of a store that match every given field. */
export interface RunSelection {
  readonly pipeline?: string | undefined;
  /** Runs that started at this instant or later. */
  readonly since?: Instant | undefined;
  /** Runs that started at this instant or earlier. */
  readonly until?: Instant | undefined;
  /** Runs that come after this one in the list, which is newest first. */
  readonly before?: RunCursor | undefined;
  /** `open`: runs that are neither finished nor cancelled. `lossy`: runs that finished with another outcome than `succeeded`. */
  readonly standing?: 'open' | 'lossy' | undefined;
}

/** A run's place in the list. */
export interface RunCursor {
  readonly runId: string;
  readonly startedAt: Timestamp;
}

/** Types of events that change a run's status. The newest of them determines it. All are rare. */
export const statusTypes = [
  'RunStarted',
  'RunResumed',
  'RunReopened',
  'RunPaused',
  'RunCancelled',
  'RunFinished',
] as const satisfies readonly EventType[];
