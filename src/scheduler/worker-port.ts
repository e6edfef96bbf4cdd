import type { NewEvent, PauseReason, RecordedEvent, Span } from '../../schema/index.ts';
import type { JsonObject } from '../kit/json.ts';
import type { Load } from './room.ts';

/** One attempt at one batch, as a driver hands it to a worker. */
export interface BatchTask {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
  readonly attempt: number;
  /** Earlier attempts that failed and count. */
  readonly failures: number;
  readonly inputs: readonly Span[];
  readonly rows: number;
  readonly offset: number;
  /** What a source's rows came from when it was started. */
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

/** The way down: a worker, as a driver uses it. It runs batches. The scheduler knows no more of it: they meet in the log. */
export interface Worker {
  /** Its name in `BatchStarted`. */
  readonly name: string;
  /** How much of its running batches is left to do. */
  readonly load: Load;
  /** Runs a batch to its end. `abort` ends its calls without waiting for them. Throws only when the store fails. */
  run(task: BatchTask, abort: AbortSignal): Promise<BatchEnd>;
  /** Returns what a source says of itself: how many items it has, and what they come from. */
  sourceFacts(step: string): Promise<NewEvent<'StepStarted'>['data']>;
  /** Returns the input rows of a batch that an earlier pass rejected and this one retries. */
  retriedRows(pass: number, step: string, batch: number): Promise<readonly Span[]>;
  /** Returns how many items a source's batch reads at most. */
  sourceRows(step: string): number;
  /** Hands out no more rows: attempts end with what is in flight. */
  stop(): void;
  /** Receives every recorded event, in order. */
  recorded(events: readonly RecordedEvent[]): void;
  /** Closes sources and resources. */
  close(): Promise<void>;
}

/** The way up: a driver, as its worker uses it between a task and its end. */
export interface DriverPort {
  /** Appends what a slow batch has done so far. Throws where the run is lost. */
  recordProgress(event: NewEvent<'BatchProgressed'>): Promise<void>;
  /** Asks for the whole run to pause before the attempt that wishes it has ended. `step` is the cause, if a step is. */
  wishPause(step: string | null, wish: PauseWish): void;
  /** Notifies the driver that calls of a step ended: it may have lanes free for another batch. */
  freeLanes(step: string): void;
}
