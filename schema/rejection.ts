import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** A row that was given up: its number in the batch's input (for a source: in what was read), the cause, and how often it was tried. */
export const rejectionSchema = z.object({
  row: z.int().nonnegative(),
  code: z.string(),
  message: z.string(),
  attempts: z.int().positive(),
});
export type Rejection = Immutable<z.infer<typeof rejectionSchema>>;

/**
 * The rows given up by one event. `rows` lists each, in order, unless they are too many for an event: then `inChunk` is true, `rows` is empty and the
 * event's last chunk holds the list.
 */
export const rejectedSchema = z.object({
  count: z.int().nonnegative(),
  codes: z.record(z.string(), z.int().positive()),
  rows: z.array(rejectionSchema),
  inChunk: z.boolean(),
});
export type Rejected = Immutable<z.infer<typeof rejectedSchema>>;
