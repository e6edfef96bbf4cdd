import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** What else than the text of its own files a pipeline was made of when it was loaded: other values, and its steps may do something else. */
export const loadedSchema = z.object({
  /** Packages that its own files reach, directly or through other packages, by name and version; the nearest ones, if there are too many. */
  packages: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      /** Over the loaded files and their paths in the package; null: a file of the pipeline names it, and it was not loaded yet. */
      sha256: z.string().nullable(),
    }),
  ),
  /** Files of the pipeline that are imported by a name (`#prompts`, a linked package): what the name led to, with paths relative to the pipeline's folder. */
  imports: z.array(z.object({ from: z.string(), name: z.string(), to: z.string() })),
  /** How many packages and imports are not listed, and a hash over them. */
  more: z.object({ count: z.int().positive(), sha256: z.string() }).nullable(),
});
export type Loaded = Immutable<z.infer<typeof loadedSchema>>;
