import type { RunStates } from '../../projections/index.ts';
import type { Actor, RecordedEvent } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log, Resource } from '../pipeline/index.ts';

/** What both a new and a resumed run may be told. */
export interface EngineOptions {
  /** Lifts the limit at which a step that rejects too much pauses the run. */
  readonly isRejectLimitLifted?: boolean | undefined;
  /** Receives every recorded event, in order, with the run's states after the last one. */
  readonly onRecorded?: ((events: readonly RecordedEvent[], states: RunStates) => void) | undefined;
  /** Told when the store has not answered for a second, with its last error, and with null when it answers again. The run waits meanwhile. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
  /** Where steps' log lines go; default: nowhere. */
  readonly userLog?: ((step: string) => Log) | undefined;
  /** Says what is opened where a step asks for a resource; default: that resource. */
  readonly resourceFor?: ((asked: Resource<unknown>) => Resource<unknown>) | undefined;
  readonly actor?: Actor | undefined;
  readonly clock?: Clock | undefined;
}
