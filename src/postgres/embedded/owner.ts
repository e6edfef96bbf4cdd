import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Fault, messageOf } from '../../kit/fault.ts';
import { readListedUsers, type RunAs } from './binaries.ts';
import { idFile } from './files.ts';
import { refusePlantedLink } from './planted-links.ts';

/**
 * Switches a root process permanently to the user that owns the folder, so that planted files can do no more than that user can anyway. Returns the user
 * for programs from here on: the user of this process, or `as` if this process has to stay root. It stays root if root owns the folder, if the owner cannot
 * reach it (below /root), if files have to change their owner first (a copy that root made), or if the owner is not in the password file, which initdb needs.
 */
export function becomeOwner(home: string, data: string, as: RunAs): RunAs {
  const { uid, gid } = as;
  if (uid === undefined || gid === undefined) return as;
  // Files that the client has just created as root.
  for (const name of ['', idFile, 'supervisor.log']) if (fs.existsSync(path.join(home, name))) changeOwner(path.join(home, name), uid, gid);
  if (fs.statSync(path.dirname(home)).uid === uid && ownsAll(home, uid) && canInitialise(data, uid) && canWork(home, as)) {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
    return {};
  }
  for (const name of fs.readdirSync(home)) refusePlantedLink(path.join(home, name));
  return as;
}

function changeOwner(file: string, uid: number, gid: number): void {
  refusePlantedLink(file);
  try {
    fs.lchownSync(fs.realpathSync(file), uid, gid);
  } catch (error) {
    throw new Fault(
      'embedded-failed',
      `PostgreSQL refuses to run as root, and the owner of ${file} cannot be changed to user ${uid}: ${messageOf(error)}. Run distilog as another user, or name a server with --store.`,
      { cause: error },
    );
  }
}

const ownsAll = (home: string, uid: number): boolean =>
  fs.readdirSync(home).every((name) => fs.lstatSync(path.join(home, name), { throwIfNoEntry: false })?.uid === uid);

const canInitialise = (data: string, uid: number): boolean =>
  fs.existsSync(path.join(data, 'PG_VERSION')) || readListedUsers().some((listed) => listed.uid === uid);

function canWork(home: string, as: RunAs): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$0" && test -w .', home], { ...as, cwd: '/', stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
