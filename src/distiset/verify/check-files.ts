import path from 'node:path';
import type { DistisetConfig } from '../create-distiset.ts';
import type { FileOptions } from '../describe-distiset.ts';
import { compareRows } from '../readers/compare-rows.ts';
import { shardName, type WrittenFile } from '../writers/shards.ts';
import { wantedFolder, type WrittenConfig } from '../writers/write-config.ts';
import { fileFacts } from './file-facts.ts';
import type { SaidMetadata } from './read-export.ts';

/** A config of a folder, and the result of exporting it now. */
export interface CheckedConfig {
  readonly directory: string;
  readonly config: DistisetConfig;
  readonly expected: WrittenConfig;
  readonly said: SaidMetadata;
  /** Whether the folder was written by the same library version as this one. If so, the bytes must be the same, too. */
  readonly isOurs: boolean;
  readonly options: FileOptions;
}

/** The result of comparing a config's files. */
export interface CheckedFiles {
  /** The files that the config must have. */
  readonly files: readonly WrittenFile[];
  readonly compared: number;
  readonly differences: readonly string[];
  readonly unproven: readonly string[];
}

/**
 * Compares a config's files with those that an export writes now. If their bytes differ, it compares row by row. That finds the altered row, or shows that
 * another version wrote the same rows as other bytes.
 */
export async function checkFiles({ directory, config, expected, said, isOurs, options }: CheckedConfig): Promise<CheckedFiles> {
  const saidConfig = said.configs.find(({ step }) => step === config.step);
  const asExpected = { files: expected.files, compared: expected.files.length, unproven: [] };
  if (expected.error || !saidConfig || saidConfig.error) return { ...asExpected, differences: errorDifferences(expected, saidConfig) };

  const facts = expected.files.map((file) => ({ file, found: fileFacts(directory, file.path) }));
  const altered = facts.filter(({ file, found }) => typeof found === 'string' || found.sha256 !== file.sha256);
  if (altered.length === 0) return { ...asExpected, differences: [] };

  // Uses the number of files in the folder's metadata, because another version may split them differently.
  const count = isOurs ? expected.files.length : saidConfig.files.length;
  const names = Array.from({ length: count }, (_, index) => shardName(expected.folder, index, count, options.format));
  const filesOnDisk = names.map((name) => ({ name, path: path.join(directory, name), facts: fileFacts(directory, name) }));
  const absent = filesOnDisk.flatMap(({ name, facts: found }) =>
    found === 'missing' ? [`${name} is missing`] : found === 'irregular' ? [`${name} is a link or not a regular file`] : [],
  );
  if (absent.length > 0) return { ...asExpected, differences: absent };

  const { difference, rows } = await compareRows(config.blocks(), filesOnDisk, { ...options, columns: expected.columns });
  if (difference !== null) return { ...asExpected, differences: [difference] };
  if (isOurs) {
    const differences = altered.map(({ file }) => `${file.path} has the rows of the log but not the bytes that its writer produces`);
    return { ...asExpected, differences };
  }
  const files = filesOnDisk.map(({ name, facts: found }, index) => ({
    path: name,
    rows: rows[index] ?? 0,
    bytes: typeof found === 'string' ? 0 : found.bytes,
    sha256: typeof found === 'string' ? '' : found.sha256,
  }));
  const unproven = [`the files of config ${expected.name} have the rows of the log but not the bytes that this version writes`];
  return { files, compared: files.length, differences: [], unproven };
}

/** Compares the errors of a config: one that could not be written says so in the metadata, and must still be unreadable now. */
function errorDifferences({ name, rows, error }: WrittenConfig, said: SaidMetadata['configs'][number] | undefined): readonly string[] {
  if (error && !said?.error) return [`config ${name} cannot be read from the log: ${error.code}: ${error.message}`];
  if (said?.error && !error)
    return [`config ${name} is recorded as unreadable (${said.error.code}: ${said.error.message}), but the log has ${rows} rows of it`];
  return [];
}

/** Returns a function that finds the folder of a config in its files' paths. In 0.1.0 the folder names depended on the disk's rules for equal names. */
export function folderFinder({ configs }: SaidMetadata): (wanted: string) => string {
  const folders = new Map(configs.map(({ name, files }) => [wantedFolder(name), files[0]?.path.split('/')[0]]));
  return (wanted) => {
    const folder = folders.get(wanted);
    const isItsOwn = folder !== undefined && new RegExp(`^${wanted}(-[0-9]+)?$`).test(folder);
    return isItsOwn ? folder : wanted;
  };
}
