import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { stopEmbeddedStore } from '../../src/postgres/index.ts';
import { testDatabase, urlFor } from '../postgres/server.ts';
import { root, storeUrls } from './command-line.ts';

export {
  canPlayOthers,
  distilog,
  environmentIn,
  finished,
  json,
  killGroup,
  program,
  start,
  type Person,
  type Result,
} from './command-line.ts';

export const dictionary = path.join(root, 'examples/dictionary.ts');
export const preference = path.join(root, 'examples/preference.ts');

/** Makes a folder whose commands use a database of its own on the server that tests share. Both are removed at the end. */
export async function workFolder(): Promise<string> {
  const folder = embeddedFolder();
  storeUrls.set(folder, urlFor((await testDatabase()).app));
  return folder;
}

/** Makes a folder whose commands start a store of its own in it, for tests of just that. It is stopped and removed at the end. */
export function embeddedFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-e2e-'));
  fs.chmodSync(folder, 0o755);
  // So that pipelines in it may import 'distilog' and 'zod', as in a project.
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(root, path.join(folder, 'node_modules/distilog'));
  fs.symlinkSync(path.join(root, 'node_modules/zod'), path.join(folder, 'node_modules/zod'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  afterAll(async () => {
    await stopEmbeddedStore(folder, { force: true }).catch(() => false);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
