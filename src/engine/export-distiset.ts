import path from 'node:path';
import type { Actor } from '../../schema/index.ts';
import { writeDistiset, type Distiset, type WriteOptions, type WrittenDistiset } from '../distiset/index.ts';
import { appendSideEvent, type Store } from '../log/index.ts';
import { thisActor } from './actor.ts';
import { program } from './program.ts';

export interface ExportOptions extends Omit<WriteOptions, 'distilog'> {
  /** The process that exports. Default: this process. */
  readonly actor?: Actor | undefined;
}

/**
 * Writes a distiset as a directory that `datasets.load_dataset`, pandas and DuckDB can read: files per config, a card, `distilog.json`. Records the export in
 * the run's side log, for `history`. The directory appears whole or not at all, and memory does not grow with its size. A config whose rows cannot be read
 * has no files, and says why. Throws `Fault`s: `output-exists`, `output-unwritable`, `disk-full`, `write-failed`.
 */
export async function exportDistiset(
  store: Store,
  distiset: Distiset,
  { actor = thisActor(), ...options }: ExportOptions,
): Promise<WrittenDistiset> {
  const written = await writeDistiset(distiset, { ...options, distilog: program().distilog });
  const { runId, asOf } = distiset;
  const configs = written.metadata.configs.map(({ name, step, rows, rowsSha256, files }) => ({
    name,
    step,
    rows,
    rowsSha256,
    files: files.map(({ path: file, rows: fileRows, sha256 }) => ({ path: file, rows: fileRows, sha256 })),
  }));
  const data = { actor, asOf, directory: path.resolve(options.directory), format: options.format ?? 'parquet', configs };
  await appendSideEvent(store.log, runId, { type: 'DistisetWritten', data }, `${actor.user}@${actor.host}:${actor.pid}`);
  return written;
}
