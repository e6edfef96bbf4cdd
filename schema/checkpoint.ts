import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** What calls made on the way to rows that are not done yet, as a chunk holds it. */
export const checkpointsSchema = z.object({
  /** The step's signature under which they were made: other code makes its own. */
  signature: z.string(),
  /** For which row of the batch's input (null: for the whole batch), under which name. */
  // The value as it is: zod's own schema of JSON drops keys called `__proto__`.
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
