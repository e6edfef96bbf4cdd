import { z } from 'zod';
import type { Immutable } from '../immutable.ts';
import { failureSchema } from '../failure.ts';
import { loadedSchema } from '../loaded.ts';
import { manifestSchema } from '../manifest.ts';
import { spanSchema } from '../place.ts';

/** A user who acted, with the machine and process. */
export const actorSchema = z.object({ user: z.string(), host: z.string(), pid: z.int().nonnegative() });
export type Actor = Immutable<z.infer<typeof actorSchema>>;

export const seedsSchema = z.enum(['batch', 'origin']);
export type Seeds = z.infer<typeof seedsSchema>;

/** The packages and imports that were loaded with the pipeline. Absent if they are unknown (0.1.0, or a program that contains its pipeline) or unchanged. */
const loaded = loadedSchema.optional();

/** The event's only chunk is the definition: column schemas, code, and the pipeline's source files. */
export const runStartedSchema = z.object({
  manifest: manifestSchema,
  /** Parsed params, without secret ones. Only their names are recorded, in `secrets`. */
  params: z.record(z.string(), z.json()),
  secrets: z.array(z.string()),
  seed: z.int().nonnegative(),
  /** The basis of keys and seeds of calls: the row's origin, or in logs of 0.1.0 its number in the batch's input. */
  seeds: seedsSchema.default('batch'),
  /** The default of model steps for answers that were cut off. Absent in logs of 0.1.0, whose steps kept such answers. */
  truncated: z.literal('reject').optional(),
  /** The pipeline's file as the user named it, or null for a run that was started from code. */
  file: z.string().nullable(),
  program: z.object({ distilog: z.string(), node: z.string() }),
  actor: actorSchema,
  loaded,
});

/** A change of a step that the user accepted when the run was resumed. */
export const acceptedChangeSchema = z.object({
  step: z.string(),
  kind: z.enum(['changed', 'follows']),
  /** The parts that differ: operator, options, columns, code, captures, key, sources, packages. */
  parts: z.array(z.string()),
  signature: z.string(),
});
export type AcceptedChange = Immutable<z.infer<typeof acceptedChangeSchema>>;

/** A driver resumed the run or took it over. Its chunk, if any, is the changed definition. */
export const runResumedSchema = z.object({
  reason: z.enum(['resumed', 'taken-over']),
  epoch: z.int().positive(),
  actor: actorSchema,
  from: actorSchema.nullable(),
  positionSeen: z.int().nonnegative(),
  acceptedChanges: z.array(acceptedChangeSchema),
  /** New numbers of calls in flight, by step. */
  concurrency: z.record(z.string(), z.int().positive()),
  program: z.object({ distilog: z.string(), node: z.string() }),
  loaded,
});

/**
 * A new pass started: a driver tries rejected rows of these steps again. Its chunks hold, by step and batch, the input rows as spans.
 */
export const runReopenedSchema = z.object({
  pass: z.int().min(2),
  /** The selected steps (empty: all). `codes` are the selected causes (null: all). */
  steps: z.array(z.string()),
  codes: z.array(z.string()).nullable(),
  /** The number of rows that are tried again, by step and cause. */
  rejected: z.array(z.object({ step: z.string(), code: z.string(), rows: z.int().positive() })),
  /** By step, the position up to which its rejected rows are tried again. For other steps: all rejected rows. */
  until: z.record(z.string(), z.int().positive()).default({}),
  /** By step, its batches with rows to try again, ascending, and the number of these rows. */
  again: z.record(z.string(), z.array(z.tuple([z.int().nonnegative(), z.int().positive()]))),
  /** The first batch of each chunk, which holds batches of one step, ascending. Empty: one chunk holds all batches of all steps. */
  pages: z.array(z.object({ step: z.string(), batch: z.int().nonnegative() })),
  epoch: z.int().positive(),
  actor: actorSchema,
  program: z.object({ distilog: z.string(), node: z.string() }),
  loaded,
});

/** The content of such a chunk: by step and batch, the input rows that are tried again. */
export const triedAgainSchema = z.record(z.string(), z.record(z.string(), z.array(spanSchema)));
export type TriedAgain = Immutable<z.infer<typeof triedAgainSchema>>;

/**
 * `asked`: a user requested it. `auth`, `quota`: a provider refuses. `resource`: a client or model cannot be opened. `reject-limit`: a step rejects too many
 * rows. `poison`: a batch was lost with its driver several times. `unhandled-rejection`: an error that no code awaited belongs to no running batch.
 */
export const pauseReasonSchema = z.enum(['asked', 'auth', 'quota', 'resource', 'reject-limit', 'poison', 'unhandled-rejection']);
export type PauseReason = z.infer<typeof pauseReasonSchema>;

export const runPausedSchema = z.object({
  reason: pauseReasonSchema,
  message: z.string(),
  step: z.string().nullable(),
  actor: actorSchema,
});
export const runCancelledSchema = z.object({ reason: z.literal('asked'), message: z.string(), actor: actorSchema });

export const outcomeSchema = z.enum(['succeeded', 'partial', 'failed']);
export type Outcome = z.infer<typeof outcomeSchema>;
export const runFinishedSchema = z.object({ outcome: outcomeSchema });

/** A step started. For a source: the total number of items, and their origin (a file's path, size and SHA-256), or null if unknown. */
export const stepStartedSchema = z.object({
  count: z.int().nonnegative().nullable(),
  origin: z.record(z.string(), z.json()).nullable(),
});
export const stepFinishedSchema = z.object({});
export const stepFailedSchema = z.object({ error: failureSchema });

/**
 * The driver took snapshots of its folds as of an earlier position. A reader accepts a snapshot only if such an event names its hash. All folds ignore
 * these events.
 */
export const snapshotsTakenSchema = z.object({
  /** The position of the snapshots. It is below that of the event. */
  position: z.int().positive(),
  /** Hash of the event schemas and upcasters that the states were folded with. */
  fingerprint: z.string(),
  /** By projection and version: the SHA-256 of the state as canonical JSON in UTF-8. */
  states: z.array(z.object({ projection: z.string(), version: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});
