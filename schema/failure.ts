import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** Why something failed: `code` is kebab-case and what programs match on. */
export const failureSchema = z.object({ code: z.string(), name: z.string(), message: z.string(), stack: z.string() });
export type Failure = Immutable<z.infer<typeof failureSchema>>;
