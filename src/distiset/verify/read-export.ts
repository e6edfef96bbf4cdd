import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { Fault, messageOf } from '../../kit/fault.ts';

/** The members of `distilog.json` that a comparison requires. All others are only compared. */
const saidSchema = z.object({
  distilog: z.string(),
  run: z.object({ id: z.string() }),
  asOf: z.object({ position: z.int().positive() }),
  options: z
    .object({
      include: z.enum(['committed', 'finished']),
      steps: z.array(z.string()).nullable(),
      shardBytesMax: z.number().positive(),
      csvEscapeFormulas: z.boolean().nullable(),
    })
    .optional(),
  definitions: z.unknown().optional(),
  configs: z.array(
    z.object({
      name: z.string(),
      step: z.string(),
      files: z.array(z.object({ path: z.string(), rows: z.int().nonnegative(), sha256: z.string() })),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
  leftOut: z.array(z.object({ step: z.string() })),
  writer: z.object({
    format: z.enum(['parquet', 'jsonl', 'csv']),
    compression: z.enum(['snappy', 'zstd']).nullable(),
    library: z.string(),
    node: z.string(),
  }),
});

/** The metadata of a written distiset, as far as a reader needs it. */
export type SaidMetadata = z.infer<typeof saidSchema>;

/** The content of a `distilog.json`. */
export interface WrittenMetadata {
  readonly text: string;
  /** The whole parsed JSON. */
  readonly value: unknown;
  readonly said: SaidMetadata;
}

/** Maximum size of a `distilog.json`. */
const bytesMax = 256 * 1024 * 1024;

/** Reads the metadata of a written distiset. Throws `Fault('not-a-distiset')`. */
export const readMetadata = (directory: string): SaidMetadata => readExport(directory).said;

/** Reads the same metadata with its text and its whole value. */
export function readExport(directory: string): WrittenMetadata {
  const file = path.join(directory, 'distilog.json');
  try {
    const stat = fs.lstatSync(file);
    // The target of a link may change later, and a pipe may never end.
    if (!stat.isFile()) throw new Error('it is a link or not a regular file');
    if (stat.size > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
    const text = fs.readFileSync(file, 'utf8');
    const value: unknown = JSON.parse(text);
    const parsed = saidSchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new Error(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'has another shape'}`);
    }
    return { text, value, said: parsed.data };
  } catch (error) {
    throw new Fault('not-a-distiset', `${directory} is not a dataset that distilog wrote: ${file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
