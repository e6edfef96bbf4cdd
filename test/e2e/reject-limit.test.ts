import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { distilog, finished, json, killGroup, start, workFolder } from './command.ts';

const broken = `import { z } from 'zod';
import { pipeline } from 'distilog';
const isBroken = process.env['MENDED'] !== '1';
export default pipeline('broken', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 60 }, (_, n) => ({ n })), batchSize: 10 })
    .map('call', { output: z.object({ out: z.int() }), run: async ({ n }) => {
      if (isBroken && n >= 25) throw Object.assign(new Error('no such model'), { code: 'not-found', retryable: false });
      if (process.env['HELD'] === '1') await new Promise(() => undefined);
      return { out: n };
    } }, { concurrency: 1 });
});
`;

interface Errors {
  readonly rejected: readonly { readonly triedAgain: boolean }[];
}

describe('a run that pauses because a step rejects too much', () => {
  it('reports in every command that rejected rows are retried, and retries them even if processes are killed', async () => {
    const cwd = await workFolder();
    fs.writeFileSync(path.join(cwd, 'broken.ts'), broken);
    const run = await distilog(['run', 'broken.ts'], { cwd });
    expect(run.code).toBe(4);
    expect(run.stdout).not.toContain('No rows were lost');
    const { rejected } = await json<Errors>(['errors'], { cwd });
    expect(rejected.length).toBeGreaterThan(0);
    expect(rejected.every(({ triedAgain }) => triedAgain)).toBe(true);
    const fate = `${rejected.length} rows that step call rejected are retried in a new pass at the end of the resumed run.`;
    expect(run.stdout).toContain(fate);
    expect(run.stdout).toMatch(/Open batches keep all of their rows\. Fix the cause, then run: distilog resume broken-/);
    expect((await distilog(['errors'], { cwd })).stdout).toContain(fate);
    expect((await json<{ readonly notes: readonly string[] }>(['status'], { cwd })).notes).toEqual([fate]);

    const held = start(['resume', '--json'], { cwd, env: { MENDED: '1', HELD: '1' } });
    const ended = finished(held);
    while ((await json<{ readonly status: string }>(['status'], { cwd })).status !== 'running') await sleep(100);
    killGroup(held);
    await ended;
    expect((await json<{ readonly notes: readonly string[] }>(['status'], { cwd })).notes).toEqual([
      expect.stringMatching(/^Rows that step call rejected up to position \d+ are retried in a new pass/),
    ]);

    expect((await distilog(['resume'], { cwd, env: { MENDED: '1' } })).code).toBe(0);
    expect(await json<Errors>(['errors'], { cwd })).toMatchObject({ rejected: [] });
    expect(await json(['distiset'], { cwd })).toMatchObject({ configs: [{ rows: 60 }] });
  });
});
