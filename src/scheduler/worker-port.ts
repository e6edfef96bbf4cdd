import type { NewEvent, PauseReason, RecordedEvent, Span } from '../../schema/index.ts';
import type { JsonObject } from '../kit/json.ts';
import type { Load } from './room.ts';

/** One attempt at one batch, as a driver hands it to a worker. */
export interface BatchTask {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
  readonly attempt: number;
  /** Number of earlier attempts that failed and use up the step's attempts. */
  readonly failures: number;
  readonly inputs: readonly Span[];
  readonly rows: number;
  readonly offset: number;
  /** The origin of a source's rows, as recorded when the source was started. */
  readonly origin: JsonObject | null;
}

/** How an attempt ended: the event to append, whose chunks are stored or come with it, and whether the run should pause. */
export interface BatchEnd {
  readonly event: NewEvent<'BatchSucceeded'> | NewEvent<'BatchFailed'>;
  readonly pause: PauseWish | null;
}

/** Why the whole run should pause: the reason and message of its `RunPaused`. */
export interface PauseWish {
  readonly reason: PauseReason;
  readonly message: string;
}

/** A worker, as a driver uses it: it runs batches. The scheduler knows nothing else about it. */
export interface Worker {
  /** Its name in `BatchStarted`. */
  readonly name: string;
  /** The calls left to do in its running batches. */
  readonly load: Load;
  /** Runs a batch to its end. `abort` ends its calls without waiting for them. Throws only if the store fails. */
  run(task: BatchTask, abort: AbortSignal): Promise<BatchEnd>;
  /** Returns what a source reports about itself: its number of items, and their origin. */
  sourceFacts(step: string): Promise<NewEvent<'StepStarted'>['data']>;
  /** Returns the input rows of a batch that an earlier pass rejected and this one retries. */
  retriedRows(pass: number, step: string, batch: number): Promise<readonly Span[]>;
  /** Returns how many items a source's batch reads at most. */
  sourceRows(step: string): number;
  /** Starts no more calls. Attempts end after their calls in flight. */
  stop(): void;
  /** Receives every recorded event, in order. */
  onRecorded(events: readonly RecordedEvent[]): void;
  /** Closes sources and resources. */
  close(): Promise<void>;
}

/** A driver, as its worker uses it between a task and its end. */
export interface DriverPort {
  /** Appends the progress of a slow batch. Throws if another process took the run over. */
  recordProgress(event: NewEvent<'BatchProgressed'>): Promise<void>;
  /** Asks the driver to pause the whole run before the attempt ends. `step` is the cause, or null. */
  wishPause(step: string | null, wish: PauseWish): void;
  /** Notifies the driver that calls of a step ended: it may have lanes free for another batch. */
  freeLanes(step: string): void;
}
