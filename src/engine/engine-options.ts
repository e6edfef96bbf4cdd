import type { RunStates } from '../../projections/index.ts';
import type { Actor, RecordedEvent } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log, Resource } from '../pipeline/index.ts';

/** Options of a run that this process drives, new or resumed. */
export interface EngineOptions {
  /** Lifts the limit at which a step that rejects too much pauses the run. */
  readonly isRejectLimitLifted?: boolean | undefined;
  /** Receives every recorded event, in order, with the run's states after the last one. */
  readonly onRecorded?: ((events: readonly RecordedEvent[], states: RunStates) => void) | undefined;
  /** Receives the last error when the store has not answered for a second, and null when it answers again. The run waits meanwhile. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
  /** Returns the logger of a step. Default: nothing is logged. */
  readonly userLog?: ((step: string) => Log) | undefined;
  /** Returns the resource to open when a step asks for one. Default: that resource. */
  readonly resourceFor?: ((asked: Resource<unknown>) => Resource<unknown>) | undefined;
  readonly actor?: Actor | undefined;
  readonly clock?: Clock | undefined;
}
