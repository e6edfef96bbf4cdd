import { z } from 'zod';
import type { Immutable } from './immutable.ts';
import { usageSchema } from './usage.ts';

/** One call that a step reported, answered or not: its row in the batch's input, its attempt, its usage and how it ended. */
export const callSchema = usageSchema.omit({ calls: true, thrownAway: true }).extend({
  row: z.int().nonnegative(),
  attempt: z.int().positive(),
  latencyMs: z.number().nonnegative().nullable(),
  /** How it ended, in the provider's words or as an error's code: `stop`, `length`, `rate-limit`. */
  finishReason: z.string().nullable(),
  /** Whether its answer was not used. */
  thrownAway: z.boolean().default(false),
  /** The prompt, or null if it follows from the row and the step's settings. */
  prompt: z.string().nullable(),
});
export type Call = Immutable<z.infer<typeof callSchema>>;
