import type { z } from 'zod';
import type { Immutable } from '../immutable.ts';
import type { PackedChunk } from '../packed-chunk.ts';
import * as batch from './batch-events.ts';
import * as run from './run-events.ts';
import * as side from './side-events.ts';

/**
 * All types of events: the log that holds them, their level (run, step or batch), their current version and the schema of their data.
 * Shapes are append-only: a new meaning is a new version with an upcaster.
 */
export const catalogue = {
  RunStarted: { log: 'run', level: 'run', version: 1, data: run.runStartedSchema },
  RunResumed: { log: 'run', level: 'run', version: 1, data: run.runResumedSchema },
  RunReopened: { log: 'run', level: 'run', version: 2, data: run.runReopenedSchema },
  RunPaused: { log: 'run', level: 'run', version: 1, data: run.runPausedSchema },
  RunCancelled: { log: 'run', level: 'run', version: 1, data: run.runCancelledSchema },
  RunFinished: { log: 'run', level: 'run', version: 1, data: run.runFinishedSchema },
  SnapshotsTaken: { log: 'run', level: 'run', version: 1, data: run.snapshotsTakenSchema },
  StepStarted: { log: 'run', level: 'step', version: 1, data: run.stepStartedSchema },
  StepFinished: { log: 'run', level: 'step', version: 1, data: run.stepFinishedSchema },
  StepFailed: { log: 'run', level: 'step', version: 1, data: run.stepFailedSchema },
  BatchStarted: { log: 'run', level: 'batch', version: 2, data: batch.batchStartedSchema },
  BatchProgressed: { log: 'run', level: 'batch', version: 1, data: batch.batchProgressedSchema },
  BatchSucceeded: { log: 'run', level: 'batch', version: 2, data: batch.batchSucceededSchema },
  BatchFailed: { log: 'run', level: 'batch', version: 1, data: batch.batchFailedSchema },
  BatchAbandoned: { log: 'run', level: 'batch', version: 1, data: batch.batchAbandonedSchema },
  PauseRequested: { log: 'side', level: 'run', version: 1, data: side.pauseRequestedSchema },
  CancelRequested: { log: 'side', level: 'run', version: 1, data: side.cancelRequestedSchema },
  DistisetWritten: { log: 'side', level: 'run', version: 1, data: side.distisetWrittenSchema },
  LateResult: { log: 'side', level: 'batch', version: 1, data: side.lateResultSchema },
} as const satisfies Record<string, CatalogueEntry>;

/** One type of event: the log that holds it, its level, the version of its shape, and the schema of its data. */
export interface CatalogueEntry {
  readonly log: 'run' | 'side';
  readonly level: 'run' | 'step' | 'batch';
  readonly version: number;
  readonly data: z.ZodType;
}

/** The name of an event: an immutable fact, past tense. */
export type EventType = keyof typeof catalogue;

/** The current shape of an event's data. */
export type DataOf<T extends EventType> = Immutable<z.infer<(typeof catalogue)[T]['data']>>;

/** The fields of an event in addition to its data, by level. */
export interface LevelFields {
  readonly run: unknown;
  readonly step: { readonly pass: number; readonly step: string };
  readonly batch: { readonly pass: number; readonly step: string; readonly batch: number; readonly attempt: number };
}

/**
 * An event to append. `chunks` are SHA-256s of chunks, in order. Each is stored already, or is an inline chunk in `brings`. Distributes over a union of
 * types.
 */
export type NewEvent<T extends EventType = EventType> = T extends EventType
  ? {
      readonly type: T;
      readonly data: DataOf<T>;
      readonly chunks?: readonly string[] | undefined;
      readonly brings?: readonly PackedChunk[] | undefined;
    } & LevelFields[(typeof catalogue)[T]['level']]
  : never;

/** An event with its place in a log. `recordedAt` is the database's clock, in UTC with microseconds. */
export type RecordedEvent<T extends EventType = EventType> = T extends EventType
  ? {
      readonly logId: string;
      readonly position: number;
      readonly recordedAt: string;
      readonly type: T;
      readonly data: DataOf<T>;
      readonly chunks: readonly string[];
    } & LevelFields[(typeof catalogue)[T]['level']]
  : never;

/** Returns whether a text is a type of event that this program knows. */
export const isEventType = (type: string): type is EventType => Object.hasOwn(catalogue, type);
