import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** A rejected row: its number in the batch's input (for a source: among the items read), the cause, and the number of attempts. */
export const rejectionSchema = z.object({
  row: z.int().nonnegative(),
  code: z.string(),
  message: z.string(),
  attempts: z.int().positive(),
});
export type Rejection = Immutable<z.infer<typeof rejectionSchema>>;

/**
 * The rejected rows of one event. `rows` lists them in order. If they are too many for an event, `inChunk` is true, `rows` is empty, and the event's last
 * chunk holds the list.
 */
export const rejectedSchema = z.object({
  count: z.int().nonnegative(),
  codes: z.record(z.string(), z.int().positive()),
  rows: z.array(rejectionSchema),
  inChunk: z.boolean(),
});
export type Rejected = Immutable<z.infer<typeof rejectedSchema>>;
