import path from 'node:path';
import type { DistisetConfig } from '../create-distiset.ts';
import type { FileOptions } from '../describe-distiset.ts';
import { compareRows } from '../readers/compare-rows.ts';
import { shardName, type WrittenFile } from '../writers/shards.ts';
import { wantedFolder, type WrittenConfig } from '../writers/write-config.ts';
import { fileFacts } from './file-facts.ts';
import type { SaidMetadata } from './read-export.ts';

/** One config of a folder, and what an export of it gives now. */
export interface CheckedConfig {
  readonly directory: string;
  readonly config: DistisetConfig;
  readonly expected: WrittenConfig;
  readonly said: SaidMetadata;
  /** Whether the folder says that it was written by what writes here: then bytes are the same, too. */
  readonly isOurs: boolean;
  readonly options: FileOptions;
}

/** What a comparison of a config's files found. */
export interface CheckedFiles {
  /** The files that the config has if nothing is wrong with it. */
  readonly files: readonly WrittenFile[];
  readonly compared: number;
  readonly differences: readonly string[];
  readonly unproven: readonly string[];
}

/**
 * Compares a config's files with those that an export writes now: by their bytes, and row by row where these differ, which names the row that was altered,
 * or finds that another version wrote the same rows in other bytes.
 */
export async function checkFiles({ directory, config, expected, said, isOurs, options }: CheckedConfig): Promise<CheckedFiles> {
  const saidConfig = said.configs.find(({ step }) => step === config.step);
  const asExpected = { files: expected.files, compared: expected.files.length, unproven: [] };
  if (expected.error || !saidConfig || saidConfig.error) return { ...asExpected, differences: errorDifferences(expected, saidConfig) };

  const facts = expected.files.map((file) => ({ file, found: fileFacts(directory, file.path) }));
  const altered = facts.filter(({ file, found }) => typeof found === 'string' || found.sha256 !== file.sha256);
  if (altered.length === 0) return { ...asExpected, differences: [] };

  // As many files as the folder says: another version may cut them elsewhere.
  const count = isOurs ? expected.files.length : saidConfig.files.length;
  const names = Array.from({ length: count }, (_, index) => shardName(expected.folder, index, count, options.format));
  const there = names.map((name) => ({ name, path: path.join(directory, name), facts: fileFacts(directory, name) }));
  const absent = there.flatMap(({ name, facts: found }) =>
    found === 'missing' ? [`${name} is not there`] : found === 'irregular' ? [`${name} is a link, or no file`] : [],
  );
  if (absent.length > 0) return { ...asExpected, differences: absent };

  const { difference, rows } = await compareRows(config.blocks(), there, { ...options, columns: expected.columns });
  if (difference !== null) return { ...asExpected, differences: [difference] };
  if (isOurs) {
    const differences = altered.map(({ file }) => `${file.path} has the rows of the log, and not the bytes that its writer makes of them`);
    return { ...asExpected, differences };
  }
  const files = there.map(({ name, facts: found }, index) => ({
    path: name,
    rows: rows[index] ?? 0,
    bytes: typeof found === 'string' ? 0 : found.bytes,
    sha256: typeof found === 'string' ? '' : found.sha256,
  }));
  const unproven = [`the files of config ${expected.name} are not the bytes that this version writes; their rows are those of the log`];
  return { files, compared: files.length, differences: [], unproven };
}

/** A config that could not be written says so, and that has to be so now. */
function errorDifferences({ name, rows, error }: WrittenConfig, said: SaidMetadata['configs'][number] | undefined): readonly string[] {
  if (error && !said?.error) return [`config ${name} cannot be read from the log: ${error.code}: ${error.message}`];
  if (said?.error && !error)
    return [
      `config ${name} is said to have been unreadable (${said.error.code}: ${said.error.message}), and the log has ${rows} rows of it`,
    ];
  return [];
}

/** Finds the folder of each config in its files' paths. 0.1.0 named folders by what the disk took for one name. */
export function folderIn({ configs }: SaidMetadata): (wanted: string) => string {
  const folders = new Map(configs.map(({ name, files }) => [wantedFolder(name), files[0]?.path.split('/')[0]]));
  return (wanted) => {
    const folder = folders.get(wanted);
    const isItsOwn = folder !== undefined && new RegExp(`^${wanted}(-[0-9]+)?$`).test(folder);
    return isItsOwn ? folder : wanted;
  };
}
