import type { OpenBatch, StepState } from '../../projections/index.ts';
import type { Outcome, Span } from '../../schema/index.ts';

/** The next thing to do. Commands become events, and `decide` does not return a command again once its event is folded. */
export type Command =
  | { readonly type: 'StartStep'; readonly step: string }
  | StartBatch
  | { readonly type: 'FinishStep'; readonly step: string }
  | { readonly type: 'FailStep'; readonly step: string; readonly code: string; readonly message: string }
  | { readonly type: 'PauseRun'; readonly reason: 'poison'; readonly step: string; readonly batch: number; readonly losses: number }
  /** `reopens`: steps whose rejected rows a new pass retries at once. Absent if there are none. */
  | { readonly type: 'FinishRun'; readonly outcome: Outcome; readonly reopens?: readonly string[] };

/** Starts an attempt at a batch. */
export interface StartBatch {
  readonly type: 'StartBatch';
  readonly step: string;
  readonly batch: number;
  readonly attempt: number;
  /** Number of earlier attempts that failed and use up the step's attempts. */
  readonly failures: number;
  readonly inputs: readonly Span[];
  /** Whether rows that an earlier pass rejected belong to its input, in addition to `inputs`. */
  readonly retriesRows: boolean;
  /** Input rows, as far as known; 0 for a source. */
  readonly rows: number;
  /** Next item of a source. */
  readonly offset: number;
  readonly alone: boolean;
}

/** Returns the command that starts the next attempt at an open batch. */
export const startNextAttempt = (step: StepState, name: string, batch: number, open: OpenBatch, alone: boolean): StartBatch => ({
  type: 'StartBatch',
  step: name,
  batch,
  attempt: open.attempt + 1,
  failures: open.failures,
  inputs: open.inputs,
  retriesRows: false,
  rows: open.rows,
  offset: step.offset,
  alone,
});
