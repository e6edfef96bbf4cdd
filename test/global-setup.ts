import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { openEmbeddedStore, stopEmbeddedStore } from '../src/postgres/index.ts';
import { createTemplate, dropDatabase } from './postgres/databases.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that tests share: an owner's URL, with a user who may make databases. */
    readonly serverUrl: string;
    /** A migrated database of that server, to be copied. */
    readonly templateDatabase: string;
  }
}

/** Bytes that a disk in memory must have free for all that tests write at the same time. */
const memoryBytesMin = 2 * 1024 ** 3;

/**
 * Prepares what tests share: the built command line, a temporary folder, a state directory that is not the user's, and a PostgreSQL: the one that
 * DATABASE_URL names, else an embedded one. Returns a function that removes all of it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  execFileSync(process.execPath, ['tools/build.mjs'], { cwd: project.config.root, stdio: 'inherit' });
  const folder = fs.mkdtempSync(path.join(temporaryPlace(), 'distilog-tests-'));
  fs.chmodSync(folder, 0o755);
  const temporary = path.join(folder, 'tmp');
  fs.mkdirSync(temporary);
  fs.chmodSync(temporary, 0o1777);
  process.env['TMPDIR'] = temporary;
  process.env['XDG_STATE_HOME'] = path.join(folder, 'state');
  // Each command that tests start compiles the same modules.
  process.env['NODE_COMPILE_CACHE'] = path.join(folder, 'compiled');
  const { url, stop } = await provideServer(folder);
  const template = await createTemplate(url);
  project.provide('serverUrl', url);
  project.provide('templateDatabase', template);
  return async () => {
    await dropDatabase(url, template);
    await stop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
}

/** Returns the folder for temporary files: in memory if there is room, because tests wait for thousands of flushes to a disk. TMPDIR overrides it. */
function temporaryPlace(): string {
  if (process.env['TMPDIR'] !== undefined) return os.tmpdir();
  try {
    const { bavail, bsize } = fs.statfsSync('/dev/shm');
    if (bavail * bsize >= memoryBytesMin) return '/dev/shm';
  } catch {
    // Not on Linux.
  }
  return os.tmpdir();
}

async function provideServer(folder: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const given = process.env['DATABASE_URL'];
  if (given) return { url: given, stop: async () => undefined };
  const store = await openEmbeddedStore(folder);
  const { user, password, host, database } = store.owner();
  return {
    url: `postgres://${user}:${encodeURIComponent(password)}@localhost/${database}?host=${encodeURIComponent(host)}`,
    stop: async () => {
      store.close();
      await stopEmbeddedStore(folder, { force: true });
    },
  };
}
