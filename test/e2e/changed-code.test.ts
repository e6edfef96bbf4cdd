import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Loaded } from '../../schema/index.ts';
import { root } from './command-line.ts';
import { distilog, json, workFolder } from './command.ts';

const cwd = await workFolder();
const write = (name: string, text: string) => {
  fs.mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
  fs.writeFileSync(path.join(cwd, name), text);
};
const version = (number: string) => write('node_modules/dep/package.json', JSON.stringify({ name: 'dep', version: number }));
const prompt = (file: string) => write('package.json', JSON.stringify({ type: 'module', imports: { '#prompt': file } }));
const rows = (text: string) => write('rows.json', text);

version('1.0.0');
prompt('./first.ts');
rows('[1]');
write('node_modules/dep/index.js', 'module.exports = (n) => n + 1;');
write('first.ts', `export const prompt = 'one';`);
write('second.ts', `export const prompt = 'two';`);
// It is loaded before the pipeline is: distilog itself uses it.
fs.symlinkSync(path.join(root, 'node_modules/pg'), path.join(cwd, 'node_modules/pg'));
write(
  'p.ts',
  `import { createRequire } from 'node:module';
import { z } from 'zod';
import 'pg';
import { pipeline, resource } from 'distilog';
import dep from 'dep';
import { prompt } from '#prompt';

const rows = createRequire(import.meta.url)('./rows.json');
const client = resource('client', () => {
  if (process.env.MENDED !== 'yes') throw new Error('no client');
  return { prompt };
});
export default pipeline('changed', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: rows.map((n) => ({ n })) }).map('ask', {
    output: z.object({ answer: z.string() }),
    run: async ({ n }, { use }) => ({ answer: (await use(client)).prompt + dep(n) }),
  });
});
`,
);
const resume = (...args: readonly string[]) => distilog(['resume', ...args], { cwd, env: { MENDED: 'yes' } });
const events = async (type: string) =>
  (await distilog(['log', '--type', type, '--json'], { cwd })).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { data: { loaded?: Loaded; acceptedChanges?: readonly unknown[] } });

describe('code that changed between a pause and its resume', () => {
  it('is named, however it was loaded, and the run continues if it is accepted', async () => {
    expect((await distilog(['run', 'p.ts'], { cwd })).code).toBe(4);
    const { runId, asOf } = await json<{ runId: string; asOf: { position: number } }>(['status'], { cwd });
    const [started] = await events('RunStarted');
    const names = started?.data.loaded?.packages.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['dep', 'pg', 'pg-protocol', 'zod']));
    expect(names).not.toContain('commander');
    expect(started?.data.loaded?.imports).toEqual([{ from: 'p.ts', name: '#prompt', to: 'first.ts' }]);

    version('1.0.1');
    expect(await resume()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/dep 1\.0\.0 → 1\.0\.1[\s\S]*--accept-changes/) as string,
    });
    version('1.0.0');

    rows('[2]');
    expect(await resume()).toMatchObject({ code: 2, stderr: expect.stringMatching(/The code in rows\.json has changed/) as string });
    expect(await resume(runId, 'p.ts')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/changed: sources[\s\S]*rows\.json\n {4}- \[1\]\n {4}\+ \[2\]/) as string,
    });
    rows('[1]');

    prompt('./second.ts');
    expect(await resume()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/#prompt in p\.ts: first\.ts → second\.ts[\s\S]*changed: sources, packages/) as string,
    });
    prompt('./first.ts');
    expect(await json(['status'], { cwd })).toMatchObject({ asOf: { position: asOf.position } });

    version('1.0.1');
    expect((await resume('--accept-changes')).code).toBe(0);
    const [resumed] = await events('RunResumed');
    expect(resumed?.data.acceptedChanges).toMatchObject([
      { step: 'rows', kind: 'changed', parts: ['packages'] },
      { step: 'ask', kind: 'changed', parts: ['packages'] },
    ]);
    expect(resumed?.data.loaded?.packages.find(({ name }) => name === 'dep')?.version).toBe('1.0.1');
  });
});
