import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../kit/fault.ts';
import { identityOf, readText } from './files.ts';

export const isLinux = process.platform === 'linux';
export const isWindows = process.platform === 'win32';

const pollMs = 20;
/** How long each signal is given before the next, harder one. */
const patienceMs = 5_000;
/** The same for a postmaster that nobody supervises any more: somebody waits for the next one, and an immediate shutdown loses nothing. */
const orphanPatienceMs = 2_000;
/** How long backends of a postmaster that was killed may take to notice. */
const backendPatienceMs = 3_000;

/** Whether a process runs; one that nobody has waited for yet does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return !/^\d+ \(.*\) Z/s.test(readText(`/proc/${pid}/stat`));
}

/** Ends a PostgreSQL process: fast shutdown, which may take so long, then immediate, then by force. */
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

/** What PostgreSQL says of itself in `postmaster.pid`: `starting`, `ready`, `stopping`; undefined if the file is another process's. */
export function postmasterState(data: string, pid: number | undefined): string | undefined {
  const lines = readText(path.join(data, 'postmaster.pid')).split('\n');
  return Number(lines[0]) === pid ? lines[7]?.trim() : undefined;
}

interface Resident {
  readonly pid: number;
  readonly isPostmaster: boolean;
}

/** PostgreSQL's processes on a data directory. A backend outlives a killed postmaster while it is busy. */
function residentsOf(data: string): readonly Resident[] {
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

/** Ends what a killed supervisor left running on a data directory; its watchdog may be at it already. */
export async function endOrphans(data: string): Promise<void> {
  for (const { pid, isPostmaster } of residentsOf(data)) if (isPostmaster) await endProcess(pid, orphanPatienceMs);
  for (const until = Date.now() + backendPatienceMs; residentsOf(data).length > 0; await sleep(pollMs)) {
    if (Date.now() > until) for (const { pid } of residentsOf(data)) await endProcess(pid, 0);
  }
  const file = path.join(data, 'postmaster.pid');
  const pid = Number(readText(file).split('\n')[0]);
  // Empty: killed before it wrote its number. Or the number belongs to another process by now. PostgreSQL would wait for either to end.
  if (!pid || isAlive(pid)) fs.rmSync(file, { force: true });
}
