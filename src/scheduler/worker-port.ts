import type { NewEvent, PauseReason, RecordedEvent, Span } from '../../schema/index.ts';
import type { JsonObject } from '../kit/json.ts';
import type { Load } from './room.ts';

/** One attempt at one batch, handed out. */
export interface BatchTask {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
  readonly attempt: number;
  readonly failures: number;
  readonly inputs: readonly Span[];
  readonly rows: number;
  readonly offset: number;
  /** What a source's rows came from when it was started. */
  readonly origin: JsonObject | null;
}

/** How it ended: the event to append, whose chunks are stored or come with it, and whether the run should pause. */
export interface BatchEnd {
  readonly event: NewEvent<'BatchSucceeded'> | NewEvent<'BatchFailed'>;
  readonly pause: { readonly reason: PauseReason; readonly message: string } | null;
}

/** What runs batches. The scheduler knows no more of it: they meet in the log. */
export interface Worker {
  /** Its name in `BatchStarted`. */
  readonly name: string;
  /** How much of its running batches is left to do. */
  readonly load: Load;
  /** Runs a batch to its end. `abort` ends its calls without waiting for them. Throws only when the store fails. */
  run(task: BatchTask, abort: AbortSignal): Promise<BatchEnd>;
  /** What a source says of itself: how many items it has, and what they come from. */
  sourceFacts(step: string): Promise<NewEvent<'StepStarted'>['data']>;
  /** The input rows of a batch that an earlier pass rejected and this one tries again. */
  again(pass: number, step: string, batch: number): Promise<readonly Span[]>;
  /** How many items a source's batch reads at most. */
  sourceRows(step: string): number;
  /** Hands out no more rows: attempts end with what is in flight. */
  stop(): void;
  /** Told of every recorded event, in order. */
  recorded(events: readonly RecordedEvent[]): void;
  /** Closes sources and resources. */
  close(): Promise<void>;
}

/** Asks for the whole run to pause, before the attempt that wishes it has ended; given to a worker when it is made. */
export type WishPause = (step: string | null, wish: NonNullable<BatchEnd['pause']>) => void;

/** Notifies the driver that calls of a step ended; given to a worker when it is made. */
export type Freed = (step: string) => void;

/** Appends what a slow batch has done so far; given to a worker when it is made. */
export type Journal = (event: NewEvent<'BatchProgressed'>) => Promise<void>;
