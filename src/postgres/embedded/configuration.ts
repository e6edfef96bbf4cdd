import fs from 'node:fs';
import path from 'node:path';
import { writeAtomically } from './files.ts';

/** The data directory's configuration files with the texts that distilog writes before PostgreSQL starts. PostgreSQL also reads them at each reload. */
const configurationFiles: Readonly<Record<string, string>> = {
  'postgresql.conf': '# Written by distilog before each start. Its settings are on the command line; settings in this file are not kept.\n',
  'postgresql.auto.conf': '',
  'pg_hba.conf': `# Written by distilog before each start: every login needs its password, and none comes from another machine.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
`,
  'pg_ident.conf': '# Written by distilog before each start: it maps no user.\n',
};

/** Files that make PostgreSQL recover from another place: run a program, follow another server, or create the links they list. distilog writes none of them. */
const recoveryFiles = ['recovery.signal', 'standby.signal', 'recovery.conf', 'backup_label', 'tablespace_map'];

/** Writes the configuration of a data directory. `own` changes a file's owner to the user that runs the server. */
export function writeConfiguration(data: string, own: (file: string) => void): void {
  for (const [name, text] of Object.entries(configurationFiles)) writeAtomically(path.join(data, name), text, own);
}

/**
 * Returns the entries of a data directory that distilog never creates and PostgreSQL would act on: files that start a recovery from another place, links
 * that lead out of the directory, tablespaces. Paths are relative to the directory.
 */
export function findForeignEntries(data: string): readonly string[] {
  const recovery = recoveryFiles.filter((name) => isThere(path.join(data, name)));
  const links = ['.', 'base', 'global', 'pg_wal'].flatMap((folder) =>
    entriesOf(path.join(data, folder))
      .filter((entry) => entry.isSymbolicLink() && !(entry.name in configurationFiles))
      .map(({ name }) => path.join(folder, name)),
  );
  const tablespaces = entriesOf(path.join(data, 'pg_tblspc')).map(({ name }) => path.join('pg_tblspc', name));
  return [...recovery, ...links, ...tablespaces];
}

/** Throws an `Error` that names the foreign entries of a data directory, if there are any. */
export function refuseForeignEntries(data: string): void {
  const found = findForeignEntries(data);
  if (found.length === 0) return;
  throw new Error(
    `${data} holds ${found.join(', ')}, which distilog did not put there and PostgreSQL would act on. Find out where it comes from, then remove it.`,
  );
}

function isThere(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function entriesOf(folder: string): readonly fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
