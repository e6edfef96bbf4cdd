import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { Fault, messageOf } from '../../kit/fault.ts';

/** What has to stand in `distilog.json` before anything can be compared. Everything else is compared as it stands there. */
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

/** What a written distiset says of itself, as far as a reader needs it. */
export type SaidMetadata = z.infer<typeof saidSchema>;

/** `distilog.json` as it lies in a folder. */
export interface WrittenMetadata {
  readonly text: string;
  /** All of it. */
  readonly value: unknown;
  readonly said: SaidMetadata;
}

/** Bytes of a `distilog.json` that are read. */
const bytesMax = 256 * 1024 * 1024;

/** Reads the metadata of a written distiset. Throws `Fault('not-a-distiset')`. */
export const readMetadata = (directory: string): SaidMetadata => readExport(directory).said;

/** Reads the same, with its text. */
export function readExport(directory: string): WrittenMetadata {
  const file = path.join(directory, 'distilog.json');
  try {
    const stat = fs.lstatSync(file);
    // A link may lead to other content tomorrow, and a pipe has no end.
    if (!stat.isFile()) throw new Error('it is a link, or no file');
    if (stat.size > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
    const text = fs.readFileSync(file, 'utf8');
    const value: unknown = JSON.parse(text);
    const parsed = saidSchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new Error(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is of another shape'}`);
    }
    return { text, value, said: parsed.data };
  } catch (error) {
    throw new Fault('not-a-distiset', `${directory} is no dataset that distilog wrote: ${file} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
