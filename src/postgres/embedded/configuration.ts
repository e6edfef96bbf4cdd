import fs from 'node:fs';
import path from 'node:path';
import { writeWhole } from './files.ts';

/** The data directory's configuration files and what distilog writes to each before PostgreSQL starts. They are read at each reload, too. */
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

/** Files that make PostgreSQL recover from elsewhere: it runs a program, follows another server, or makes the links that they list. distilog makes none. */
const recoveryFiles = ['recovery.signal', 'standby.signal', 'recovery.conf', 'backup_label', 'tablespace_map'];

/** Writes the configuration of a data directory. `own` gives a file to the user who runs the server. */
export function writeConfiguration(data: string, own: (file: string) => void): void {
  for (const [name, text] of Object.entries(configurationFiles)) writeWhole(path.join(data, name), text, own);
}

/**
 * Returns what lies in a data directory that distilog does not put there and PostgreSQL would act on: files that start a recovery from elsewhere, links that
 * lead out of the directory, tablespaces. Paths are relative to the directory.
 */
export function foreignEntries(data: string): readonly string[] {
  const recovery = recoveryFiles.filter((name) => isThere(path.join(data, name)));
  const links = ['.', 'base', 'global', 'pg_wal'].flatMap((folder) =>
    entriesOf(path.join(data, folder))
      .filter((entry) => entry.isSymbolicLink() && !(entry.name in configurationFiles))
      .map(({ name }) => path.join(folder, name)),
  );
  const tablespaces = entriesOf(path.join(data, 'pg_tblspc')).map(({ name }) => path.join('pg_tblspc', name));
  return [...recovery, ...links, ...tablespaces];
}

/** Throws an `Error` that names what `foreignEntries` finds. */
export function refuseForeignEntries(data: string): void {
  const found = foreignEntries(data);
  if (found.length === 0) return;
  throw new Error(
    `${data} holds ${found.join(', ')}, which distilog did not put there and PostgreSQL would act on. Find out where it comes from; then remove it.`,
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
