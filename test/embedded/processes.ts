import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process of a folder's embedded store, as the system lists it. */
export interface StoreProcess {
  readonly pid: number;
  readonly parent: number;
  readonly role: 'supervisor' | 'watchdog' | 'postmaster' | 'backend' | 'initdb';
}

/** Everything that runs for a folder's store, read from /proc: it must not depend on what the store says of itself. */
export function processesOf(folder: string): readonly StoreProcess[] {
  const home = path.join(fs.realpathSync(folder), '.distilog');
  const data = identityOf(path.join(home, 'pg18'));
  const found = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => lookAt(pid, home, data) ?? []);
  const postmasters = new Set(found.filter(({ role }) => role === 'postmaster').map(({ pid }) => pid));
  const supervisors = new Set(found.filter(({ role }) => role === 'supervisor').map(({ pid }) => pid));
  return found
    .filter(({ role, guarded, parent }) => role !== 'watchdog' || postmasters.has(guarded) || supervisors.has(parent))
    .map(({ pid, parent, role }) => ({
      pid,
      parent,
      // Just forked: it carries the postmaster's command line until it has set its own.
      role: role === 'postmaster' && postmasters.has(parent) ? 'backend' : role,
    }));
}

function lookAt(pid: string, home: string, data: string): (StoreProcess & { readonly guarded: number }) | undefined {
  try {
    const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const [program = ''] = args;
    const parent = Number(/\) . (\d+)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
    const is = (role: StoreProcess['role']) => ({ pid: Number(pid), parent, role, guarded: Number(args.at(-1)) });
    if (args.at(-2) === '--supervise' && args.at(-1) === home) return is('supervisor');
    if (args.at(-2) === 'distilog-watchdog') return is('watchdog');
    if (program.endsWith('/initdb') && fs.readlinkSync(`/proc/${pid}/cwd`).startsWith(home)) return is('initdb');
    const isBackend = program.startsWith('postgres: ');
    // Another user's process does not show where it is: that says nothing about a folder that is not there.
    if ((!isBackend && !program.endsWith('/postgres')) || data === 'gone') return undefined;
    return identityOf(`/proc/${pid}/cwd/`) === data ? is(isBackend ? 'backend' : 'postmaster') : undefined;
  } catch {
    // It ended while it was being looked at.
    return undefined;
  }
}

function identityOf(file: string): string {
  try {
    const { dev, ino } = fs.statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return 'gone';
  }
}

/** The postmaster that says of itself that it is ready; 0 if none does. */
export function readyPostmaster(folder: string): number {
  try {
    const lines = fs.readFileSync(path.join(folder, '.distilog/pg18/postmaster.pid'), 'utf8').split('\n');
    return lines[7]?.trim() === 'ready' ? Number(lines[0]) : 0;
  } catch {
    return 0;
  }
}

/** Sends a signal; whether there was anybody to get it. */
export function signal(pid: number, name: NodeJS.Signals = 'SIGKILL'): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Waits until nothing runs for the folder; returns what still does after that time. */
export async function untilGone(folder: string, timeoutMs: number): Promise<readonly StoreProcess[]> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const left = processesOf(folder);
    if (left.length === 0 || Date.now() > until) return left;
    await sleep(50);
  }
}
