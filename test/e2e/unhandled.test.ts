import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { distilog, json, workFolder } from './command.ts';

/** A run whose step leaves a timer behind that throws after its batch has ended; `held` keeps the run going until then. */
const late = `import { z } from 'zod';
import { pipeline } from 'distilog';
let caught: () => void = () => undefined;
const isCaught = new Promise<void>((resolve) => { caught = resolve; });
process.on('uncaughtException', () => caught());
const isBroken = process.env['MENDED'] !== '1';
export default pipeline('late', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 12 }, (_, n) => ({ n })), batchSize: 4 })
    .map('call', { output: z.object({ out: z.int() }), run: ({ n }) => {
      if (n === 3 && isBroken) setTimeout(() => { throw new Error('thrown in a timer'); }, 200);
      return { out: n };
    } })
    .map('held', { output: z.object({ held: z.int() }), concurrency: 1, run: async ({ n }) => {
      if (isBroken) await isCaught;
      return { held: n };
    } });
});
`;

describe('an error that nothing awaits', () => {
  it('pauses a run with a message that names the cause and the fix, and the run can be resumed', async () => {
    const cwd = await workFolder();
    fs.writeFileSync(path.join(cwd, 'late.ts'), late);
    const run = await distilog(['run', 'late.ts'], { cwd });
    expect([run.code, run.stderr]).toEqual([4, expect.not.stringMatching(/^\s+at /m)]);
    expect(run.stdout).toContain('an error that nothing awaited came after batch 0 of step call had ended: thrown in a timer');
    expect(run.stdout).toMatch(/then run: distilog resume late-/);
    expect(await json(['status'], { cwd })).toMatchObject({ status: 'paused', paused: { reason: 'unhandled-rejection', step: 'call' } });
    expect((await distilog(['resume'], { cwd, env: { MENDED: '1' } })).code).toBe(0);
    expect(await json(['distiset'], { cwd })).toMatchObject({ configs: [{ rows: 12 }] });
  });

  it('is a message if loading a pipeline causes it', async () => {
    const cwd = await workFolder();
    fs.writeFileSync(
      path.join(cwd, 'loading.ts'),
      `void Promise.reject(Object.assign(new Error('e'), { message: { not: 'a text' } }));\nawait new Promise((resolve) => setTimeout(resolve, 60_000));\n`,
    );
    const { code, stderr } = await distilog(['try', 'loading.ts'], { cwd });
    expect([code, stderr]).toEqual([1, 'error: {"not":"a text"}\n']);
  });
});

describe('a step that ends the process', () => {
  it('ends a run with a message and an exit code other than 0, and the run can be resumed', async () => {
    const cwd = await workFolder();
    // A named import is bound before distilog replaces `process.exit`.
    fs.writeFileSync(
      path.join(cwd, 'leaves.ts'),
      `import { exit } from 'node:process';
import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('leaves', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }] }).map('call', { output: z.object({ out: z.int() }), run: ({ n }) => {
    if (process.env['LEAVES'] === '1') exit(0);
    return { out: n };
  } });
});
`,
    );
    const { code, stderr } = await distilog(['run', 'leaves.ts'], { cwd, env: { LEAVES: '1' } });
    expect([code, stderr]).toEqual([
      1,
      "error: The pipeline's code ended this process. The run did not end. To continue it: distilog resume\n",
    ]);
    expect((await distilog(['resume', 'leaves.ts'], { cwd })).code).toBe(0);
  });
});
