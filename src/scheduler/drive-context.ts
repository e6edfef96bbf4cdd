import type { GraphState, RunStates } from '../../projections/index.ts';
import type { Actor, RecordedEvent } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import type { Store } from '../log/index.ts';
import type { RetryPass } from './reopened-event.ts';
import type { DriverPort, Worker } from './worker-port.ts';

/** Services that the driving process provides to start or resume a run. */
export interface DriveContext {
  readonly store: Store;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly program: { readonly distilog: string; readonly node: string };
  /** Makes the worker that runs batches. */
  readonly makeWorker: (options: {
    readonly runId: string;
    readonly seed: number;
    readonly driver: DriverPort;
    /** Calls in flight by step, as recorded. */
    readonly concurrency: Readonly<Record<string, number>>;
  }) => Worker;
  /** Returns a pass over the rejected rows that these steps owe when a pass ends (`StepState.owedUntil`), or null if there are none. */
  readonly findOwedPass: (runId: string, graph: GraphState, steps: readonly string[]) => Promise<RetryPass | null>;
  /** Receives every recorded event, in order, with the run's states after the last one. */
  readonly onRecorded?: ((events: readonly RecordedEvent[], states: RunStates) => void) | undefined;
  /** Receives the last error when the store has not answered for a second, and null when it answers again. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
}
