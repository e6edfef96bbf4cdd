import type { GraphState, RunStates } from '../../projections/index.ts';
import type { Actor, RecordedEvent } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import type { Store } from '../log/index.ts';
import type { Reopening } from './reopened-event.ts';
import type { DriverPort, Worker } from './worker-port.ts';

/** What starting and resuming a run need of the process that drives it. */
export interface DriveContext {
  readonly store: Store;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly program: { readonly distilog: string; readonly node: string };
  /** Makes the worker that runs batches. */
  readonly makeWorker: (given: {
    readonly runId: string;
    readonly seed: number;
    readonly driver: DriverPort;
    /** Calls in flight by step, as recorded. */
    readonly concurrency: Readonly<Record<string, number>>;
  }) => Worker;
  /** Returns the rejected rows that steps try again when a pass ends (`StepState.owedUntil`), or null if there are none. */
  readonly owed: (runId: string, graph: GraphState, steps: readonly string[]) => Promise<Reopening | null>;
  /** Receives every recorded event, in order, with the run's states after the last one. */
  readonly onRecorded?: ((events: readonly RecordedEvent[], states: RunStates) => void) | undefined;
  /** Receives the last error when the store has not answered for a second, and null when it answers again. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
}
