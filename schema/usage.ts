import { z } from 'zod';
import type { Immutable } from './immutable.ts';

const tokens = z.number().nonnegative();

/** The part of it that went into calls of which nothing came: they failed, or their answers could not be used. */
const thrownAwaySchema = z.object({
  calls: z.int().nonnegative(),
  inputTokens: tokens,
  outputTokens: tokens,
  costUsd: z.number().nonnegative(),
});
const nothing = { calls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** What was consumed by the calls of one model (`model` is `''` where a step names none): tokens, calls, and money where the provider tells. */
export const usageSchema = z.object({
  model: z.string(),
  calls: z.int().nonnegative(),
  inputTokens: tokens,
  outputTokens: tokens,
  cachedTokens: tokens,
  reasoningTokens: tokens,
  costUsd: z.number().nonnegative(),
  thrownAway: thrownAwaySchema.default(nothing),
});
export type Usage = Immutable<z.infer<typeof usageSchema>>;
