import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, type Store } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { findChangedSources, readKnownFile, rememberFile } from '../../../src/cli/known-file.ts';
import { readHashedSources } from '../../../src/cli/local-sources.ts';
import { loadContinuedPipeline } from '../../../src/cli/continued-pipeline.ts';
import type { ResumedTwice } from './resume-twice.ts';

import { silentTerminal } from './silent-terminal.ts';
const root = path.resolve(import.meta.dirname, '../../..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-known-'));
const before = process.env['XDG_STATE_HOME'];
afterAll(() => {
  process.env['XDG_STATE_HOME'] = before;
  fs.rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  process.env['XDG_STATE_HOME'] = fs.mkdtempSync(path.join(folder, 'state-'));
});

const planned = plan(
  pipeline('known', ({ source }) => {
    source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] });
  }),
);

/** A store with a run, started with what its log says is its file. */
async function storeWith(runId: string, file?: string): Promise<Store> {
  const store = memoryStore();
  await (await startPipeline(store, planned, { runId, file })).drive();
  return store;
}

function written(text: string, name = 'p.ts'): string {
  const file = path.join(fs.mkdtempSync(path.join(folder, 'files-')), name);
  fs.writeFileSync(file, text);
  return file;
}

const terminal = silentTerminal();
const context = { terminal, exit: () => undefined, onInterrupt: () => undefined, goOnWithoutOutput: () => undefined };
const again = (store: Store, runId: string, acceptChanges = false) =>
  loadContinuedPipeline(context, store, runId, undefined, { command: 'retry', param: [], acceptChanges });

describe('the file of a run', () => {
  it('is remembered for a user who drove the run with it, with its absolute path and the hashes of its local sources', async () => {
    const store = await storeWith('known-1');
    const file = written(`import './other.ts';`);
    fs.writeFileSync(path.join(path.dirname(file), 'other.ts'), 'export {};');
    expect(await readKnownFile(store, 'known-1')).toBe(null);
    await rememberFile(store, 'known-1', file, readHashedSources(file));
    const known = await readKnownFile(store, 'known-1');
    expect(known).toMatchObject({ file, sources: [{ path: 'other.ts' }, { path: 'p.ts' }] });
    expect(known && findChangedSources(known)).toEqual([]);
  });

  it('is not the file of a run with the same id in another store', async () => {
    const [store, other] = [await storeWith('known-1'), await storeWith('known-1', 'evil.ts')];
    const file = written('');
    await rememberFile(store, 'known-1', file, readHashedSources(file));
    expect(await readKnownFile(other, 'known-1')).toBe(null);
    expect(await readKnownFile(store, 'known-1')).not.toBe(null);
  });

  it('has changed if a source is altered, missing or new', async () => {
    const store = await storeWith('known-1');
    const file = written(`import './a.ts'; import './b.ts'; import './c';`);
    const beside = (name: string) => path.join(path.dirname(file), name);
    for (const name of ['a.ts', 'b.ts', 'c.js']) fs.writeFileSync(beside(name), 'export {};');
    await rememberFile(store, 'known-1', file, readHashedSources(file));
    fs.writeFileSync(beside('a.ts'), 'export const a = 1;');
    fs.rmSync(beside('b.ts'));
    fs.writeFileSync(beside('c.ts'), 'export {};');
    const known = await readKnownFile(store, 'known-1');
    expect(known && findChangedSources(known)).toEqual(['a.ts', 'b.ts', 'c.ts']);
  });

  it('is forgotten after a thousand other runs', async () => {
    const store = await storeWith('known-1');
    const file = written('');
    await rememberFile(store, 'known-1', file, []);
    const runs = path.join(process.env['XDG_STATE_HOME'] ?? '', 'distilog', 'runs');
    const [first = ''] = fs.readdirSync(runs);
    fs.utimesSync(path.join(runs, first), 0, 0);
    for (let n = 0; n < 1_000; n++) fs.writeFileSync(path.join(runs, `${n}.json`), '{}');
    await rememberFile(await storeWith('known-2'), 'known-2', file, []);
    expect(fs.readdirSync(runs)).toHaveLength(1_000);
    expect(await readKnownFile(store, 'known-1')).toBe(null);
  });

  it('is not loaded because a log names it; the message names it for the command line', async () => {
    const evil = written(`import fs from 'node:fs'; fs.writeFileSync(new URL('loaded', import.meta.url), '');`, 'evil.ts');
    const store = await storeWith('known-1', evil);
    await expect(again(store, 'known-1')).rejects.toMatchObject({
      code: 'file-not-known',
      message: expect.stringContaining(`distilog retry known-1 ${evil}`) as string,
    });
    await expect(again(store, 'known-1', true)).rejects.toMatchObject({ code: 'file-not-known' });
    expect(fs.existsSync(path.join(path.dirname(evil), 'loaded'))).toBe(false);
  });

  it.each(['p.ts; rm -rf ~', '--take-over', '$(id).ts', "it's.ts"])(
    'is not printed as part of a command if a shell would read it as more than one word: %s',
    async (file) => {
      const store = await storeWith('known-1', file);
      await expect(again(store, 'known-1')).rejects.toMatchObject({
        message: expect.stringMatching(/distilog retry known-1 FILE$/) as string,
      });
    },
  );

  it('is not loaded if its sources have changed, unless the change is accepted', async () => {
    const store = await storeWith('known-1');
    const file = written('export {};');
    await rememberFile(store, 'known-1', file, readHashedSources(file));
    fs.writeFileSync(file, `import fs from 'node:fs'; fs.writeFileSync(new URL('loaded', import.meta.url), '');`);
    await expect(again(store, 'known-1')).rejects.toMatchObject({
      code: 'definition-changed',
      message: expect.stringMatching(/The code in p\.ts has changed .* The changed code was not loaded/) as string,
    });
    expect(fs.existsSync(path.join(path.dirname(file), 'loaded'))).toBe(false);
    await expect(again(store, 'known-1', true)).rejects.toMatchObject({ code: 'no-pipeline' });
    expect(fs.existsSync(path.join(path.dirname(file), 'loaded'))).toBe(true);
  });
});

describe('a log that does not record the loaded code', () => {
  it('can be continued with one note that packages were not compared; files that 0.1.0 did not see are then recorded', async () => {
    const file = written('', 'main.ts');
    fs.writeFileSync(path.join(path.dirname(file), 'package.json'), `{ "type": "module", "imports": { "#rows": "./rows.ts" } }`);
    fs.writeFileSync(path.join(path.dirname(file), 'rows.ts'), 'export const rows = [{ n: 1 }];');
    fs.mkdirSync(path.join(path.dirname(file), 'node_modules'));
    for (const name of ['distilog', 'zod'])
      fs.symlinkSync(name === 'zod' ? path.join(root, 'node_modules/zod') : root, path.join(path.dirname(file), 'node_modules', name));
    fs.writeFileSync(
      file,
      `import { z } from 'zod';
import { pipeline } from 'distilog';
import { rows } from '#rows';
export default pipeline('known', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows });
});`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', path.join(import.meta.dirname, 'resume-twice.ts'), file], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stdout, stderr).not.toBe('');
    const { notes, sources } = JSON.parse(stdout) as ResumedTwice;
    expect(notes).toEqual([
      [
        expect.stringMatching(/^Run known-1 was last driven by distilog 0\.0\.9\. It continues with distilog \S+\.$/),
        expect.stringMatching(/^The log of run known-1 does not record which packages/),
      ],
      [],
    ]);
    expect(sources).toEqual([['main.ts'], ['main.ts', 'rows.ts']]);
  });
});
