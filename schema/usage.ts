import { z } from 'zod';
import type { Immutable } from './immutable.ts';

const tokens = z.number().nonnegative();

/** What was consumed by the calls of one model (`model` is `''` where a step names none): tokens, calls, and money where the provider tells. */
export const usageSchema = z.object({
  model: z.string(),
  calls: z.int().nonnegative(),
  inputTokens: tokens,
  outputTokens: tokens,
  cachedTokens: tokens,
  reasoningTokens: tokens,
  costUsd: z.number().nonnegative(),
});
export type Usage = Immutable<z.infer<typeof usageSchema>>;
