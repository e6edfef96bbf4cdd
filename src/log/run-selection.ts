import type { EventType } from '../../schema/index.ts';
import type { Instant, Timestamp } from '../kit/instant.ts';

/** Selects runs of a store: those that fit every field that is given. */
export interface RunSelection {
  readonly pipeline?: string | undefined;
  /** Runs that started at this instant or later. */
  readonly since?: Instant | undefined;
  /** Runs that started at this instant or earlier. */
  readonly until?: Instant | undefined;
  /** Runs that come after this one in the order of the list, newest first. */
  readonly before?: RunCursor | undefined;
  /** `open`: runs that are neither finished nor cancelled. `lossy`: runs that finished with another outcome than `succeeded`. */
  readonly standing?: 'open' | 'lossy' | undefined;
}

/** A run's place in the list. */
export interface RunCursor {
  readonly runId: string;
  readonly startedAt: Timestamp;
}

/** Types of events that change how a run stands: the newest of them says it. All are rare. */
export const standingTypes = [
  'RunStarted',
  'RunResumed',
  'RunReopened',
  'RunPaused',
  'RunCancelled',
  'RunFinished',
] as const satisfies readonly EventType[];
