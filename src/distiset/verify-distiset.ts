import fs from 'node:fs';
import path from 'node:path';
import { Fault, messageOf } from '#kit/fault';
import { sha256, sha256Stream } from '#kit/sha256';
import { resolveAsOf, runLogId, sideLogId, withoutSnapshots, type Store } from '#log';
import { createDistiset } from './create-distiset.ts';
import type { DistisetMetadata } from './writers/metadata.ts';
import { LinesHash } from './writers/lines-hash.ts';
import { blockTexts } from './writers/row-text.ts';

/** What a check of a written dataset found. */
export interface VerifiedDistiset {
  readonly ok: boolean;
  readonly runId: string;
  readonly position: number;
  /** Files and rows that were compared. */
  readonly files: number;
  readonly rows: number;
  /** Whether the run's side log tells of this export: the same files at the same position. */
  readonly isRecorded: boolean;
  /** Everything that is not as it was, in words: a file, a config. */
  readonly differences: readonly string[];
}

/** The metadata that a written dataset carries. Throws `Fault('not-a-distiset')`. */
export function readMetadata(directory: string): DistisetMetadata {
  const file = path.join(directory, 'distilog.json');
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as DistisetMetadata;
  } catch (error) {
    throw new Fault('not-a-distiset', `${directory} is no dataset that distilog wrote: ${file} cannot be read: ${messageOf(error)}.`);
  }
}

/**
 * Compares a written dataset with the log that it came from: each file with its recorded hash, the rows of each config with those that the log has as of
 * its position, and all of them with what the side log tells of the export. Files of its own that somebody added are told; hidden ones and the card,
 * which people edit, are not looked at.
 */
export async function verifyDistiset(store: Store, directory: string): Promise<VerifiedDistiset> {
  const metadata = readMetadata(directory);
  const { id: runId } = metadata.run;
  const { position, hash } = metadata.asOf;
  const differences: string[] = [];
  const asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'position', position });
  if (asOf.hash !== hash) differences.push(`the log has another hash at position ${position} than distilog.json says`);

  let files = 0;
  for (const config of metadata.configs) {
    for (const file of config.files) {
      files++;
      const found = hashOf(path.join(directory, file.path));
      if (found === null) differences.push(`${file.path} is not there`);
      else if (found !== file.sha256) differences.push(`${file.path} is not the file that was written`);
    }
  }
  differences.push(...strangers(directory, metadata).map((file) => `${file} is none of the files that were written`));

  const wanted = metadata.configs.map(({ step }) => step);
  const distiset = await createDistiset(withoutSnapshots(store), runId, { asOf, steps: wanted.length > 0 ? wanted : undefined });
  let rows = 0;
  for (const { name, step, rows: rowsWritten, rowsSha256, error } of metadata.configs) {
    const config = distiset.configs.find((each) => each.step === step);
    if (error !== null || !config) continue;
    const hash = new LinesHash();
    const before = rows;
    const textsOf = blockTexts(config.columns.map((column) => column.name));
    for await (const block of config.blocks()) {
      for (const text of textsOf(block).texts) hash.add(text);
      rows += block.count;
    }
    if (hash.end().sha256 !== rowsSha256) differences.push(`config ${name} has other rows in the log`);
    if (rows - before !== rowsWritten)
      differences.push(`config ${name} has ${rows - before} rows in the log, and ${rowsWritten} in distilog.json`);
  }
  const isRecorded = await isTold(store, metadata);
  // The hashes of files stand in distilog.json, which lies beside them: whoever alters a file can alter both.
  if (!isRecorded) differences.push('the side log tells of no export of these files: their hashes are the word of distilog.json alone');
  return { ok: differences.length === 0, runId, position, files, rows, isRecorded, differences };
}

/** Files that lie there and that the metadata does not know: a reader of the whole folder would take them for part of the dataset. */
function strangers(directory: string, { configs }: DistisetMetadata): readonly string[] {
  const known = new Set(['README.md', 'distilog.json', ...configs.flatMap(({ files }) => files.map((file) => file.path))]);
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .filter((file) => !known.has(file) && !file.split('/').some((part) => part.startsWith('.')))
    .sort();
}

function hashOf(file: string): string | null {
  const buffer = Buffer.alloc(1024 * 1024);
  let descriptor: number;
  try {
    descriptor = fs.openSync(file, 'r');
  } catch {
    return null;
  }
  try {
    const digest = sha256Stream();
    for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer))
      digest.update(buffer.subarray(0, read));
    return digest.digest('hex');
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Whether the side log holds an export of just these files. */
async function isTold({ log }: Store, { run, asOf, configs }: DistisetMetadata): Promise<boolean> {
  const filesOf = (all: readonly { readonly files: readonly { readonly path: string; readonly sha256: string }[] }[]) =>
    sha256(JSON.stringify(all.flatMap(({ files }) => files.map((file) => [file.path, file.sha256]))));
  const wanted = filesOf(configs);
  for await (const page of log.read(sideLogId(run.id), { types: ['DistisetWritten'] })) {
    for (const event of page) {
      if (event.type !== 'DistisetWritten' || event.data.asOf.position !== asOf.position) continue;
      if (filesOf(event.data.configs) === wanted) return true;
    }
  }
  return false;
}
