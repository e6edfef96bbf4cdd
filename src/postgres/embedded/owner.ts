import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Fault, messageOf } from '../../kit/fault.ts';
import { listedUsers, type RunAs } from './binaries.ts';
import { idFile } from './files.ts';
import { refusePlantedLink } from './planted-links.ts';

/**
 * In a folder of somebody else, root becomes its owner for good: whatever is planted there then leads no further than the owner could go anyway.
 * Returns as whom programs are to be run from here on: as this process, or still as `as` where root is needed. It is needed where the folder is
 * root's own, where the owner cannot reach it (below /root), where files have to be given to them first (a copy that root made), and where they are in
 * no password file, which initdb wants them to be.
 */
export function becomeOwner(home: string, data: string, as: RunAs): RunAs {
  const { uid, gid } = as;
  if (uid === undefined || gid === undefined) return as;
  // What the client has just made, as root.
  for (const name of ['', idFile, 'supervisor.log']) if (fs.existsSync(path.join(home, name))) give(path.join(home, name), uid, gid);
  if (fs.statSync(path.dirname(home)).uid === uid && ownsAll(home, uid) && canInitialise(data, uid) && canWork(home, as)) {
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
    return {};
  }
  for (const name of fs.readdirSync(home)) refusePlantedLink(path.join(home, name));
  return as;
}

function give(file: string, uid: number, gid: number): void {
  refusePlantedLink(file);
  try {
    fs.lchownSync(fs.realpathSync(file), uid, gid);
  } catch (error) {
    throw new Fault(
      'embedded-failed',
      `PostgreSQL refuses to run as root, and ${file} cannot be given to user ${uid}: ${messageOf(error)}. Run distilog as another user, or name a server with --store.`,
      { cause: error },
    );
  }
}

const ownsAll = (home: string, uid: number): boolean =>
  fs.readdirSync(home).every((name) => fs.lstatSync(path.join(home, name), { throwIfNoEntry: false })?.uid === uid);

const canInitialise = (data: string, uid: number): boolean =>
  fs.existsSync(path.join(data, 'PG_VERSION')) || listedUsers().some((listed) => listed.uid === uid);

function canWork(home: string, as: RunAs): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$0" && test -w .', home], { ...as, cwd: '/', stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
