import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** The packages and imports that a pipeline was loaded with. If they differ, its steps may behave differently although their own text is the same. */
export const loadedSchema = z.object({
  /** Packages that its files use, directly or through other packages, by name and version. If there are too many, the nearest ones. */
  packages: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      /** Hash of the loaded files and their paths in the package, or null if a file of the pipeline names the package but it was not loaded. */
      sha256: z.string().nullable(),
    }),
  ),
  /** Files of the pipeline that are imported by a name (`#prompts`, a linked package), and the path that the name resolves to. Paths are relative to the pipeline's folder. */
  imports: z.array(z.object({ from: z.string(), name: z.string(), to: z.string() })),
  /** The number of packages and imports that are not listed, and their hash. */
  more: z.object({ count: z.int().positive(), sha256: z.string() }).nullable(),
});
export type Loaded = Immutable<z.infer<typeof loadedSchema>>;
