import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../kit/fault.ts';
import { dialSupervisor, type SupervisorConnection } from './dial-supervisor.ts';
import { openLog, tailOf } from './files.ts';
import { unwritableFault } from './home.ts';
import { busyExitCode, readMarker } from './marker.ts';

const pollMs = 25;
const respawnMs = 250;

/**
 * Connects to a folder's supervisor, and starts one if there is none. If several processes start one at once, only one acquires the kernel's lock.
 * Throws `Fault('embedded-failed')`.
 */
export async function acquireSupervisor(home: string, timeoutMs: number): Promise<SupervisorConnection> {
  const deadline = Date.now() + timeoutMs;
  const log = path.join(home, 'supervisor.log');
  let child: ChildProcess | undefined;
  let nextSpawn = 0;
  for (;;) {
    const connection = await dialSupervisor(home, deadline);
    if (connection) return connection;
    if (child?.exitCode && child.exitCode !== busyExitCode) {
      throw new Fault('embedded-failed', `The embedded PostgreSQL in ${home} did not start.\n${tailOf(log)}`);
    }
    if (Date.now() > deadline) {
      const holder = readMarker(home);
      const reason = holder ? `process ${holder.pid} on ${holder.place[0]} holds it` : 'an unknown process holds it';
      throw new Fault(
        'embedded-failed',
        `The store in ${home} does not answer: ${reason}. End that process, or name a server with --store.`,
      );
    }
    const isStarting = child && child.exitCode === null && child.signalCode === null;
    if (Date.now() >= nextSpawn && !isStarting) {
      nextSpawn = Date.now() + respawnMs;
      child = spawnSupervisor(home, log);
    }
    await sleep(pollMs);
  }
}

function spawnSupervisor(home: string, log: string): ChildProcess {
  const extension = path.extname(fileURLToPath(import.meta.url));
  const program = fileURLToPath(new URL(`./supervise${extension}`, import.meta.url));
  const out = openSupervisorLog(log);
  const child = spawn(process.execPath, ['--no-warnings', program, '--supervise', home], {
    detached: true,
    windowsHide: true,
    cwd: path.parse(home).root,
    stdio: ['ignore', out, out],
    // A debugger or coverage tool of this process must not attach to the supervisor.
    env: { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' },
  });
  child.unref();
  fs.closeSync(out);
  return child;
}

function openSupervisorLog(log: string): number {
  try {
    return openLog(log);
  } catch (error) {
    throw unwritableFault(log, error);
  }
}
