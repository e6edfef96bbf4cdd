import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { distilog, json, workFolder } from './command.ts';

const cwd = await workFolder();
for (const name of ['first', 'second'])
  fs.writeFileSync(
    path.join(cwd, `${name}.ts`),
    `import { z } from 'zod';
import { pipeline, resource } from 'distilog';
const client = resource('client', () => {
  if (process.env.MENDED !== 'yes') throw new Error('no client');
  return { ask: (n) => n };
});
export default pipeline('${name}', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] }).map('ask', {
    output: z.object({ answer: z.int() }),
    run: async ({ n }, { use }) => ({ answer: (await use(client)).ask(n) }),
  });
});
`,
  );
const resume = (...args: readonly string[]) => distilog(['resume', ...args], { cwd, env: { MENDED: 'yes' } });
const statuses = async () =>
  Object.fromEntries(
    (await json<{ runs: readonly { pipeline: string; status: string }[] }>(['runs'], { cwd })).runs.map((run) => [
      run.pipeline,
      run.status,
    ]),
  );

it('resume without a run refuses to choose among several, and continues the one of a file or the only one', async () => {
  for (const name of ['first', 'second']) expect((await distilog(['run', `${name}.ts`], { cwd })).code).toBe(4);
  expect(await resume()).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(
      /distilog resume RUN\n {2}second-\w+ {2}pipeline second, paused, .*\n {2}first-\w+ {2}pipeline first, paused, /,
    ) as string,
  });
  expect(await statuses()).toEqual({ first: 'paused', second: 'paused' });
  expect((await resume('first.ts')).code).toBe(0);
  expect(await statuses()).toEqual({ first: 'succeeded', second: 'paused' });
  expect((await resume()).code).toBe(0);
  expect(await statuses()).toEqual({ first: 'succeeded', second: 'succeeded' });
});
