import { z } from 'zod';
import { failureSchema } from '../failure.ts';
import { rangeSchema, spanSchema } from '../place.ts';
import { rejectedSchema } from '../rejection.ts';
import { usageSchema } from '../usage.ts';

const count = z.int().nonnegative();
const inputs = z.array(spanSchema);
const usage = z.array(usageSchema);
/** How many calls the event's chunk of calls lists; 0: it has none. That chunk stands after those of rows. */
const calls = count;
/** How many checkpoints the event's chunk of them lists; 0: it has none. That chunk stands after that of calls. */
const checkpoints = count;

/** Durable before user code runs. */
export const batchStartedSchema = z.object({
  /** Spans of rows of the upstream steps, in their order, the same for every attempt; empty for a source. */
  inputs,
  /** A source's next item, from 0; 0 for other steps. */
  offset: count,
  /** Input rows of the batch; for a source: items it will read at most. */
  rows: count,
  worker: z.string(),
  /** Whether it runs with nothing beside it, because an earlier attempt was lost with its driver. */
  alone: z.boolean(),
});

/** Rows of a slow batch finished since the attempt's last event: kept, if the driver is lost. Chunks hold the rows, their parents are input rows. */
export const batchProgressedSchema = z.object({
  done: z.array(rangeSchema),
  rows: count,
  rejected: rejectedSchema,
  usage,
  calls,
  /** What calls made on the way to rows that are not done. */
  checkpoints,
});

/** The batch's output: its chunks, in order; then the chunk of calls, if there were any; then the chunk of rejections, if `rejected.inChunk`. */
export const batchSucceededSchema = z.object({
  inputs,
  /** Input rows of the batch; for a source: items read. */
  rowsIn: count,
  /** Rows that came out. */
  rows: count,
  /** The same, by chunk: so that a part of a large batch is found without the rest. */
  chunkRows: z.array(count),
  /** Bytes of the output's chunks before compression. */
  bytes: count,
  rejected: rejectedSchema,
  elapsedMs: z.number().nonnegative(),
  /** Of this attempt, without what its earlier events already told. */
  usage,
  calls,
  /**
   * A source: items read (rejected ones included), whether there are no more, and the SHA-256 of the last item's stored values, by which a reopened
   * source is recognised (null: nothing was read, or the item was rejected). `offset` is the number of the first item, from 0; null in logs of 0.1.0.
   */
  source: z.object({ read: count, last: z.boolean(), mark: z.string().nullable(), offset: count.nullable().default(null) }).nullable(),
  /** Keys that rows had and no column declares: they were dropped. Named in the first batch that meets them. */
  undeclared: z.array(z.string()),
  /** A join: by upstream step, how many rows another branch has and this one lacks, and the first of them, by their places where the branches part. */
  missing: z.array(z.object({ step: z.string(), count, places: z.array(z.string()) })),
});

/** Rows finished since the attempt's last event are kept, as in `BatchProgressed`. */
export const batchFailedSchema = z.object({
  error: failureSchema,
  done: z.array(rangeSchema),
  rows: count,
  rejected: rejectedSchema,
  /** Input rows still to be done. */
  pending: count,
  /** After which delay another attempt follows; null: the batch is given up and yields no rows. */
  retryInMs: z.number().nonnegative().nullable(),
  /** Whether giving the batch up ends its step: no batch at or above it counts any more. */
  failsStep: z.boolean(),
  /** Whether the attempt counts against the step's `attempts`; one that was interrupted, or met a refused key, does not. */
  counted: z.boolean(),
  elapsedMs: z.number().nonnegative(),
  usage,
  calls,
  checkpoints,
});

export const batchAbandonedSchema = z.object({ epoch: z.int().positive() });
