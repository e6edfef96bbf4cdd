import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../kit/fault.ts';
import { identityOf, readText } from './files.ts';

export const isLinux = process.platform === 'linux';
export const isWindows = process.platform === 'win32';

const pollMs = 20;
/** Time after each signal before the next, stronger one is sent. */
const patienceMs = 5_000;
/** Shorter time for an orphaned postmaster, because a process waits for the next one and an immediate shutdown loses nothing. */
const orphanPatienceMs = 2_000;
/** Time for the backends of a killed postmaster to notice and end. */
const backendPatienceMs = 3_000;

/** Returns whether a process runs. A zombie does not count as running. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return !/^\d+ \(.*\) Z/s.test(readText(`/proc/${pid}/stat`));
}

/** Ends a PostgreSQL process: by a fast shutdown that may take `fastMs`, then by an immediate shutdown, then by SIGKILL. */
export async function endProcess(pid: number, fastMs = patienceMs): Promise<void> {
  const steps = [
    ['SIGINT', fastMs],
    ['SIGQUIT', patienceMs],
    ['SIGKILL', patienceMs],
  ] as const;
  for (const [signal, waitMs] of steps) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (const until = Date.now() + waitMs; Date.now() < until; await sleep(pollMs)) if (!isAlive(pid)) return;
  }
}

/** Returns the state in `postmaster.pid`: `starting`, `ready` or `stopping`, or undefined if the file belongs to another process. */
export function postmasterState(data: string, pid: number | undefined): string | undefined {
  const lines = readText(path.join(data, 'postmaster.pid')).split('\n');
  return Number(lines[0]) === pid ? lines[7]?.trim() : undefined;
}

interface Resident {
  readonly pid: number;
  readonly isPostmaster: boolean;
}

/** Returns the PostgreSQL processes that use a data directory. A busy backend outlives a killed postmaster. */
function findResidents(data: string): readonly Resident[] {
  if (!isLinux) {
    const pid = Number(readText(path.join(data, 'postmaster.pid')).split('\n')[0]);
    if (!pid || !isAlive(pid)) return [];
    const isPostgres = isWindows || execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).includes('postgres');
    return isPostgres ? [{ pid, isPostmaster: true }] : [];
  }
  const here = identityOf(data);
  const found = fs
    .readdirSync('/proc')
    .filter((pid) => Number(pid) && identityOf(`/proc/${pid}/cwd/`) === here && programOf(pid).startsWith('postgres'));
  return found.map((pid) => {
    const parent = /\) . (\d+)/.exec(readText(`/proc/${pid}/stat`))?.[1] ?? '';
    return { pid: Number(pid), isPostmaster: readText(`/proc/${pid}/cmdline`).includes('\0-D\0') && !found.includes(parent) };
  });
}

function programOf(pid: string): string {
  try {
    return path.basename(fs.readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return '';
  }
}

/** Ends the processes that a killed supervisor left running on a data directory. Its watchdog may be ending them, too. */
export async function endOrphans(data: string): Promise<void> {
  for (const { pid, isPostmaster } of findResidents(data)) if (isPostmaster) await endProcess(pid, orphanPatienceMs);
  for (const until = Date.now() + backendPatienceMs; findResidents(data).length > 0; await sleep(pollMs)) {
    if (Date.now() > until) for (const { pid } of findResidents(data)) await endProcess(pid, 0);
  }
  const file = path.join(data, 'postmaster.pid');
  const pid = Number(readText(file).split('\n')[0]);
  // The file is empty if the postmaster was killed before it wrote its id, or the id now belongs to another process. PostgreSQL would wait in both cases.
  if (!pid || isAlive(pid)) fs.rmSync(file, { force: true });
}
