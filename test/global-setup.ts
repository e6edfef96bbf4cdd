import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { openEmbeddedStore, stopEmbeddedStore } from '#postgres';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that tests share: an owner's URL, with a user who may make databases. */
    readonly serverUrl: string;
  }
}

/** One PostgreSQL for all tests: the one that DATABASE_URL names, else an embedded one in a temporary folder, stopped at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
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
