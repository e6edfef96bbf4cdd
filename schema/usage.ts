import { z } from 'zod';
import type { Immutable } from './immutable.ts';

const tokens = z.number().nonnegative();

/** The usage of calls that failed or whose answers were not used. */
const thrownAwaySchema = z.object({
  calls: z.int().nonnegative(),
  inputTokens: tokens,
  outputTokens: tokens,
  costUsd: z.number().nonnegative(),
});
const noUsage = { calls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** The usage of one model's calls: calls, tokens, and the cost if the provider reports it. `model` is `''` if a step names none. */
export const usageSchema = z.object({
  model: z.string(),
  calls: z.int().nonnegative(),
  inputTokens: tokens,
  outputTokens: tokens,
  cachedTokens: tokens,
  reasoningTokens: tokens,
  costUsd: z.number().nonnegative(),
  thrownAway: thrownAwaySchema.default(noUsage),
});
export type Usage = Immutable<z.infer<typeof usageSchema>>;
