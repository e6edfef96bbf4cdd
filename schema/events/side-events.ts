import { z } from 'zod';
import { usageSchema } from '../usage.ts';
import { actorSchema } from './run-events.ts';

export const pauseRequestedSchema = z.object({ actor: actorSchema, message: z.string() });
export const cancelRequestedSchema = z.object({ actor: actorSchema, message: z.string() });

export const distisetWrittenSchema = z.object({
  actor: actorSchema,
  asOf: z.object({ position: z.int().nonnegative(), recordedAt: z.string(), hash: z.string() }),
  directory: z.string(),
  format: z.string(),
  configs: z.array(
    z.object({
      name: z.string(),
      step: z.string(),
      rows: z.int().nonnegative(),
      rowsSha256: z.string(),
      files: z.array(z.object({ path: z.string(), rows: z.int().nonnegative(), sha256: z.string() })),
    }),
  ),
});

/** A process received results after it had lost its run. Their cost is recorded, because it was paid. */
export const lateResultSchema = z.object({
  actor: actorSchema,
  epoch: z.int().positive(),
  rows: z.int().nonnegative(),
  usage: z.array(usageSchema),
});
