import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { distilog, json, workFolder } from './command.ts';

const pipelineFile = `
import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('numbers', ({ source }) => {
  const all = source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: 30 }, (_, n) => ({ n })) });
  all.map('half', {
    output: z.object({ half: z.number() }),
    run: ({ n }) => {
      if (n === 7 && process.env['MENDED'] !== 'yes') throw Object.assign(new Error('no'), { code: 'unlucky', retryable: false });
      return { half: n / 2 };
    },
  });
});
`;

describe('the config name that a dataset shows', () => {
  it('is accepted wherever a command takes a step', async () => {
    const cwd = await workFolder();
    fs.writeFileSync(path.join(cwd, 'numbers.ts'), pipelineFile);
    const ran = await distilog(['run', 'numbers.ts', '--concurrency', 'default=3'], { cwd });
    expect(ran.code, ran.stderr).toBe(3);
    expect((await json<{ trace: object }>(['trace', 'default:17'], { cwd })).trace).toEqual(
      (await json<{ trace: object }>(['trace', 'half:17'], { cwd })).trace,
    );
    expect((await json<{ trace: object }>(['trace', 'default:0/3'], { cwd })).trace).toMatchObject({ name: { step: 'half', row: 3 } });
    for (const args of [
      ['rows', '--first', '2', '--json', '--step'],
      ['log', '--json', '--step'],
      ['distiset', '--json', '--step'],
    ]) {
      const [byConfig, byStep] = [await distilog([...args, 'default'], { cwd }), await distilog([...args, 'half'], { cwd })];
      expect(byConfig).toEqual(byStep);
      expect(byConfig).toMatchObject({ code: 0, stdout: expect.stringContaining('half') as string });
    }
    const retried = await distilog(['retry', 'numbers.ts', '--step', 'default', '--concurrency', 'default=2'], {
      cwd,
      env: { MENDED: 'yes' },
    });
    expect(retried.code, retried.stderr).toBe(0);
  });
});
