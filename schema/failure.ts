import { z } from 'zod';
import type { Immutable } from './immutable.ts';

/** The cause of a failure. Programs match on `code`, which is kebab-case. */
export const failureSchema = z.object({ code: z.string(), name: z.string(), message: z.string(), stack: z.string() });
export type Failure = Immutable<z.infer<typeof failureSchema>>;
