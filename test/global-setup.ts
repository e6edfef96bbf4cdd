import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { openEmbeddedStore, stopEmbeddedStore } from '../src/postgres/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that tests share: an owner's URL, with a user who may make databases. */
    readonly serverUrl: string;
  }
}

/**
 * One PostgreSQL for all tests: the one that DATABASE_URL names, else an embedded one in a temporary folder, stopped at the end. Tests and the processes
 * that they start have a state directory of their own: they must not write to the user's.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-test-state-'));
  process.env['XDG_STATE_HOME'] = state;
  const stop = await provideServer(project);
  return async () => {
    await stop();
    fs.rmSync(state, { recursive: true, force: true });
  };
}

async function provideServer(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL'];
  if (given) {
    project.provide('serverUrl', given);
    return async () => undefined;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-tests-'));
  fs.chmodSync(folder, 0o755);
  const store = await openEmbeddedStore(folder);
  const { user, password, host, database } = store.owner();
  project.provide('serverUrl', `postgres://${user}:${encodeURIComponent(password)}@localhost/${database}?host=${encodeURIComponent(host)}`);
  return async () => {
    store.close();
    await stopEmbeddedStore(folder, { force: true });
    fs.rmSync(folder, { recursive: true, force: true });
  };
}
