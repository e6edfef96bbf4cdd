import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { distilog, json, workFolder } from './command.ts';
import { preferencePipeline, startProvider } from './provider.ts';

interface Step {
  readonly name: { readonly step: string; readonly batch: number; readonly row: number };
  readonly operator: string;
  readonly wrote: Readonly<Record<string, unknown>>;
  readonly failures: readonly { readonly attempt: number; readonly error: { readonly code: string } }[];
  readonly calls: readonly { readonly model: string; readonly inputTokens: number; readonly finishReason: string }[];
  readonly parents: readonly Step[];
  readonly madeOf: number | null;
}

const stepsOf = (step: Step): readonly Step[] => [step, ...step.parents.flatMap(stepsOf)];

describe('a trace', () => {
  it('shows how a row of answers was made: models, tokens, prompts, failed attempts', async () => {
    const cwd = await workFolder();
    const { env } = await startProvider(['--faults', 'server-error', '--share', '0.3']);
    const traced = async (...args: string[]) => (await json<{ trace: Step }>(['trace', ...args], { cwd })).trace;
    expect((await distilog(['run', preferencePipeline(cwd), '--param', 'rows=60', '--seed', '7'], { cwd, env })).code).toBe(0);
    const row = await traced('pairs:8');
    const steps = stepsOf(row);
    expect(steps.map(({ name }) => name.step)).toEqual(
      expect.arrayContaining(['pairs', 'preferred', 'judged', 'answers', 'left', 'right', 'questions']),
    );
    const asked = steps.filter(({ calls }) => calls.length > 0);
    expect(new Set(asked.flatMap(({ calls }) => calls.map(({ model }) => model)))).toEqual(new Set(['left', 'right', 'judge']));
    for (const { calls } of asked) expect(calls.at(-1)).toMatchObject({ finishReason: 'stop', inputTokens: expect.any(Number) as number });
    expect(steps.some(({ failures }) => failures.some(({ error }) => error.code === 'overloaded'))).toBe(true);
    const text = (await distilog(['trace', 'pairs:8'], { cwd })).stdout;
    expect(text).toMatch(/attempt 1 of its batch failed, position [\d,]+: overloaded/);
    expect(text).toMatch(/attempt \d, judge, [\d,]+ tokens in/);
    expect(text).toMatch(/prompt: Instruction:/);

    const { batch, row: place } = row.name;
    expect(await traced(`pairs:${batch}/${place}`)).toEqual(row);
    for (const format of ['jsonl', 'parquet']) {
      expect((await distilog(['distiset', '--out', format, '--format', format], { cwd })).code).toBe(0);
      const folder = path.join(format, 'pairs');
      const [file = ''] = fs.readdirSync(path.join(cwd, folder));
      expect(await traced(`${path.join(folder, file)}:8`)).toEqual(row);
      const beyond = await distilog(['trace', `${path.join(folder, file)}:999`], { cwd });
      expect(beyond).toMatchObject({ code: 2 });
      expect(beyond.stderr).toMatch(/has \d+ rows, so the last is/);
    }
    for (const [args, said] of [
      [['pairs:999'], /Step pairs of run preferences-\w+ has no row 999 up to position \d+: it has \d+, the last of which is pairs:\d+/],
      [['pairs:99/0'], /has no row 0 in batch 99 of step pairs .*no such batch has succeeded/],
      [['nope:0'], /no step nope\. Its steps: /],
      [['pairs:0', '--at', '3'], /has no row 0 up to position 3: it has none/],
    ] as const) {
      const refused = await distilog(['trace', ...args], { cwd });
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(said);
    }
  });

  it('goes through route, flatMap and global', async () => {
    const cwd = await workFolder();
    fs.writeFileSync(
      path.join(cwd, 'shapes.ts'),
      `import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('shapes', ({ source }) => {
  const rows = source('numbers', { output: z.object({ n: z.int() }), batchSize: 10, rows: Array.from({ length: 40 }, (_, n) => ({ n })) });
  const { odd, even } = rows.route('parity', { branches: ['odd', 'even'], to: ({ n }) => (n % 2 ? 'odd' : 'even') });
  odd.flatMap('twice', { output: z.object({ copy: z.int() }), run: ({ n }) => [{ copy: n }, { copy: n }] });
  even.global('sum', { output: z.object({ sum: z.int() }), run: async function* (all) { let sum = 0; for await (const { n } of all) sum += n; yield { sum }; } });
});
`,
    );
    const ran = await distilog(['run', 'shapes.ts'], { cwd });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const traced = async (asked: string) => (await json<{ trace: Step }>(['trace', asked], { cwd })).trace;
    const twice = stepsOf(await traced('twice:25'));
    expect(twice.map(({ operator }) => operator)).toEqual(['flatMap', 'branch', 'route', 'source']);
    expect(twice.at(-1)?.wrote).toEqual({ n: 25 });
    expect(await traced('sum:0')).toMatchObject({ operator: 'global', wrote: { sum: 380 }, madeOf: 20, parents: [] });
  });
});
