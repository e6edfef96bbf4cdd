import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { seedFrom } from '../fixtures/slice.ts';
import { randomFrom } from '../unit/random.ts';
import { distilog, finished, json, killGroup, start, workFolder } from './command.ts';

interface Lost {
  readonly rejected: readonly { readonly step: string; readonly code: string; readonly batch: number; readonly row: number }[];
}
interface Exported {
  readonly configs: readonly { readonly rows: number; readonly rowsSha256: string }[];
}
interface Trace {
  readonly trace: {
    readonly name: { readonly pass: number };
    readonly parents: readonly { readonly rejections: readonly { readonly pass: number; readonly code: string }[] }[];
  };
}

const seed = seedFrom('DISTILOG_CRASH_SEED');

/** Of 800 rows every other one is lost, for one of three causes; with the file `mended` beside it, what timed out comes through, but for every tenth. */
const text = `import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NonRetryableError, pipeline } from 'distilog';

const params = z.object({ delayMs: z.int().default(0), held: z.boolean().default(false), together: z.boolean().default(false) });

export default pipeline('unlucky', { params }, ({ source, params }) => {
  const made = source('numbers', { output: z.object({ n: z.int() }), batchSize: 50, rows: Array.from({ length: 800 }, (_, n) => ({ n })) }).map(
    'answer',
    {
      output: z.object({ word: z.string() }),
      run: async ({ n }, { untimed }) => {
        if (params.held && n >= 100) await untimed((signal) => sleep(3_600_000, undefined, { signal }));
        const isMended = fs.existsSync('mended');
        if (params.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, isMended ? params.delayMs : 0));
        if (n % 2 === 0) return { word: 'word ' + n };
        if (n % 3 === 0 && isMended && n % 10 !== 5) return { word: 'late ' + n };
        if (n % 3 === 0) throw Object.assign(new Error('no answer to ' + n), { code: 'timeout' });
        if (n % 3 === 1) return { word: n };
        throw new NonRetryableError('Nobody knows ' + n, { code: 'nobody-knows' });
      },
    },
    { retry: { attempts: 1 }, concurrency: 4 },
  );
  if (params.together) made.global('all', { output: z.object({ count: z.int() }), run: async function* (rows) { let count = 0; for await (const _ of rows) count++; yield { count }; } });
  else made.filter('told', { keep: () => true });
});
`;
const timedOut = Array.from({ length: 800 }, (_, n) => n).filter((n) => n % 2 === 1 && n % 3 === 0);
const rescued = timedOut.filter((n) => n % 10 !== 5);

async function folder(): Promise<string> {
  const cwd = await workFolder();
  fs.writeFileSync(path.join(cwd, 'unlucky.ts'), text);
  return cwd;
}
const mend = (cwd: string) => fs.writeFileSync(path.join(cwd, 'mended'), '');
const run = (cwd: string, ...args: string[]) => distilog(['run', 'unlucky.ts', '--seed', '7', '--no-reject-limit', ...args], { cwd });
const filesOf = (directory: string) =>
  fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(directory, name)).isFile())
    .sort()
    .map((name) => [name, fs.readFileSync(path.join(directory, name), 'base64')]);

describe(`rejected rows that are retried (seed ${seed})`, () => {
  it('are rescued where that is possible, and earlier positions stay unchanged', async () => {
    const cwd = await folder();
    const ask = (...args: string[]) => distilog(args, { cwd });
    expect((await run(cwd)).code).toBe(3);
    const before = await json<Lost>(['errors'], { cwd });
    expect(before.rejected).toHaveLength(400);
    const { stdout } = await ask('errors');
    for (const [code, count] of Object.entries(Object.groupBy(before.rejected, ({ code: each }) => each)))
      expect(stdout).toMatch(new RegExp(`answer +${code} +${count?.length} rows`));
    const { asOf } = await json<{ asOf: { position: number } }>(['status'], { cwd });
    const export1 = await ask('distiset', '--out', 'before', '--format', 'jsonl');
    expect(export1).toMatchObject({ code: 0 });

    for (const [args, said] of [
      [['--step', 'nope'], /no step nope\. Its steps: numbers, answer, told/],
      [['--code', 'nope'], /No rejected row of run unlucky-\w+ with nope can be retried\. Rejected rows: answer: /],
      [['--step', 'told'], /No rejected row of run unlucky-\w+ of step told can be retried\. Rejected rows: answer: /],
    ] as const) {
      const refused = await ask('retry', ...args);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(said);
    }

    mend(cwd);
    const retried = await ask('retry', '--code', 'timeout', '--no-reject-limit');
    expect(retried, retried.stderr).toMatchObject({ code: 3 });
    const after = await json<Lost>(['errors'], { cwd });
    expect(after.rejected).toHaveLength(400 - rescued.length);
    expect(after.rejected.filter(({ code }) => code === 'timeout')).toHaveLength(timedOut.length - rescued.length);
    expect(await json<Exported>(['distiset'], { cwd })).toMatchObject({ configs: [{ rows: 400 + rescued.length }] });

    expect(await ask('distiset', '--out', 'again', '--format', 'jsonl', '--at', String(asOf.position))).toMatchObject({ code: 0 });
    expect(filesOf(path.join(cwd, 'again'))).toEqual(filesOf(path.join(cwd, 'before')));
    expect((await json<Lost>(['errors', '--at', String(asOf.position)], { cwd })).rejected).toEqual(before.rejected);

    const { trace } = await json<Trace>(['trace', 'told:400'], { cwd });
    expect(trace.name.pass).toBe(2);
    expect(trace.parents[0]?.rejections).toMatchObject([{ pass: 1, code: 'timeout' }]);
    expect((await ask('trace', 'told:400')).stdout).toMatch(/pass 1: rejected after 1 attempt, position [\d,]+: timeout: no answer to 3/);

    // What was tried in vain is tried again, and stays lost.
    const inVain = await ask('retry', '--code', 'timeout', '--no-reject-limit');
    expect(inVain.code).toBe(3);
    expect((await json<Lost>(['errors'], { cwd })).rejected).toHaveLength(400 - rescued.length);
  });

  it('are refused with a message while the run is not over, or if a step combined them with other rows', async () => {
    const cwd = await folder();
    const ask = (...args: string[]) => distilog(args, { cwd });
    mend(cwd);
    const child = start(['run', 'unlucky.ts', '--param', 'held=true', '--no-reject-limit', '--json'], { cwd });
    const ended = finished(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const running = await ask('retry');
    expect(running.code).toBe(2);
    expect(running.stderr).toMatch(/is running|drives? (it|this run)|driven by/);
    child.kill('SIGINT');
    await ended;
    const paused = await ask('retry');
    expect(paused.code).toBe(2);
    expect(paused.stderr).toMatch(/is paused\. Rejected rows can be retried once it is over\. To finish it: distilog resume unlucky-/);
    const resumed = start(['resume', '--no-reject-limit', '--json'], { cwd });
    const cancelling = finished(resumed);
    await new Promise((resolve) => resumed.stdout?.once('data', resolve));
    expect((await ask('cancel')).code).toBe(0);
    expect(await cancelling).toMatchObject({ code: 1 });
    const cancelled = await ask('retry');
    expect(cancelled.code).toBe(2);
    expect(cancelled.stderr).toMatch(/was cancelled, so its rejected rows cannot be retried\. Start a new run/);

    expect((await run(cwd, '--param', 'together=true')).code).toBe(3);
    const above = await ask('retry');
    expect(above.code).toBe(2);
    expect(above.stderr).toMatch(/step all \(global\) below it/);

    fs.writeFileSync(
      path.join(cwd, 'whole.ts'),
      `import { z } from 'zod';\nimport { pipeline } from 'distilog';\nexport default pipeline('whole', ({ source }) => { source('x', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] }); });`,
    );
    expect((await ask('run', 'whole.ts')).code).toBe(0);
    const nothing = await ask('retry');
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toMatch(/Run whole-\w+ has no rejected rows, so there is nothing to retry/);
  });

  it('give the same rows if the process is killed midway', async () => {
    const random = randomFrom(seed);
    const hashes: string[] = [];
    for (const kills of [0, 3]) {
      const cwd = await folder();
      expect((await run(cwd, '--param', 'delayMs=30')).code).toBe(3);
      mend(cwd);
      let child = start(['retry', '--no-reject-limit', '--json'], { cwd });
      let ended = finished(child);
      for (let killed = 0; killed < kills; killed++) {
        await Promise.race([new Promise((resolve) => child.stdout?.once('data', resolve)), ended]);
        await sleep(random.below(1_200));
        killGroup(child);
        await ended;
        child = start(['resume', '--no-reject-limit', '--json'], { cwd });
        ended = finished(child);
      }
      const { code, stderr } = await ended;
      expect([2, 3], stderr).toContain(code);
      const { configs } = await json<Exported>(['distiset'], { cwd });
      expect(configs[0]?.rows).toBe(400 + rescued.length);
      hashes.push(configs[0]?.rowsSha256 ?? '');
      expect(await json(['verify'], { cwd })).toMatchObject({ ok: true });
      expect(await json(['rebuild', '--check'], { cwd })).toMatchObject({ firstDifference: null });
    }
    expect(new Set(hashes).size).toBe(1);
  });
});
