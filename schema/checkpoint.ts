import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** Checkpoints of rows that are not finished, as a chunk holds them. */
export const checkpointsSchema = z.object({
  /** The step's signature under which they were made. Other code does not use them. */
  signature: z.string(),
  /** Each has the number of its row in the batch's input (null: the whole batch) and its name. */
  // `value` is not parsed, because zod's own schema of JSON drops keys named `__proto__`.
  made: z.array(
    z.object({
      row: z.int().nonnegative().nullable(),
      name: z.string(),
      value: z.custom<z.core.util.JSONType>((value) => value !== undefined),
    }),
  ),
});
export type Checkpoints = Immutable<z.infer<typeof checkpointsSchema>>;
export type Checkpoint = Checkpoints['made'][number];
