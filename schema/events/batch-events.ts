import { z } from 'zod';
import { failureSchema } from '../failure.ts';
import { rangeSchema, spanSchema } from '../place.ts';
import { rejectedSchema } from '../rejection.ts';
import { usageSchema } from '../usage.ts';

const count = z.int().nonnegative();
const inputs = z.array(spanSchema);
const usage = z.array(usageSchema);
/** The number of calls in the event's chunk of calls, or 0 if it has none. That chunk comes after those of rows. */
const calls = count;
/** The number of checkpoints in the event's chunk of checkpoints, or 0 if it has none. That chunk comes after that of calls. */
const checkpoints = count;

/** An attempt at a batch started. The event is durable before user code runs. */
export const batchStartedSchema = z.object({
  /** Spans of rows of the upstream steps, in the order of these steps. The same for every attempt. Empty for a source. */
  inputs,
  /** For a source: the number of its next item, from 0. 0 for other steps. */
  offset: count,
  /** Input rows of the batch. For a source: the maximum number of items that it will read. */
  rows: count,
  worker: z.string(),
  /** Whether no other batch runs at the same time, because an earlier attempt was lost with its driver. */
  alone: z.boolean(),
});

/** Rows of a slow batch that were finished since the attempt's last event. They are kept if the driver is lost. The parents in the chunks are input rows. */
export const batchProgressedSchema = z.object({
  done: z.array(rangeSchema),
  rows: count,
  rejected: rejectedSchema,
  usage,
  calls,
  /** Checkpoints of rows that are not finished. */
  checkpoints,
});

/** The batch succeeded. Its chunks are those of the output, in order, then that of calls if there were any, then that of rejections if `rejected.inChunk`. */
export const batchSucceededSchema = z.object({
  inputs,
  /** Input rows of the batch. For a source: items read. */
  rowsIn: count,
  /** Output rows. */
  rows: count,
  /** Output rows of each chunk, so that a part of a large batch is found without reading the rest. */
  chunkRows: z.array(count),
  /** Bytes of the output's chunks before compression. */
  bytes: count,
  rejected: rejectedSchema,
  elapsedMs: z.number().nonnegative(),
  /** Usage of this attempt, without the usage in its earlier events. */
  usage,
  calls,
  /**
   * For a source: the number of items read (including rejected ones), whether there are no more, and `mark`, the SHA-256 of the last item's stored values. A
   * reopened source is recognised by it. It is null if nothing was read or the item was rejected. `offset` is the number of the first item, from 0, and null
   * in logs of 0.1.0.
   */
  source: z.object({ read: count, last: z.boolean(), mark: z.string().nullable(), offset: count.nullable().default(null) }).nullable(),
  /** Keys that were dropped from rows because no column declares them. Only the first batch with a key lists it. */
  undeclared: z.array(z.string()),
  /** For a join, by upstream step: the number of rows that another branch has and this one lacks, and the first of them, by their places in the fork. */
  missing: z.array(z.object({ step: z.string(), count, places: z.array(z.string()) })),
});

/** An attempt failed, or the batch was given up. Rows that were finished since the attempt's last event are kept, as in `BatchProgressed`. */
export const batchFailedSchema = z.object({
  error: failureSchema,
  done: z.array(rangeSchema),
  rows: count,
  rejected: rejectedSchema,
  /** Number of input rows that are not finished. */
  pending: count,
  /** Delay before the next attempt, or null if the batch is given up and yields no rows. */
  retryInMs: z.number().nonnegative().nullable(),
  /** Whether giving up the batch ends its step. Then no batch at or above it counts. */
  failsStep: z.boolean(),
  /** Whether the attempt counts against the step's `attempts`. An interrupted attempt, or one whose key a provider refused, does not. */
  counted: z.boolean(),
  elapsedMs: z.number().nonnegative(),
  usage,
  calls,
  checkpoints,
});

export const batchAbandonedSchema = z.object({ epoch: z.int().positive() });
