import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { distilog, json, workFolder } from './command.ts';

const pipelineFile = `
import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('numbers', ({ source }) => {
  const all = source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: 100 }, (_, n) => ({ n })) });
  all.filter('even', { keep: ({ n }) => n % 2 === 0 });
  all.filter('odd', { keep: ({ n }) => n % 2 === 1 });
});
`;

const cwd = await workFolder();

describe('verify --distiset', () => {
  const file = (name: string) => path.join(cwd, 'out', name);

  beforeAll(async () => {
    fs.writeFileSync(path.join(cwd, 'numbers.ts'), pipelineFile);
    await distilog(['run', 'numbers.ts', '--json'], { cwd });
    await distilog(['distiset', '--out', 'out', '--format', 'jsonl'], { cwd });
  }, 60_000);

  it('accepts an unchanged dataset, and names what the log does not prove', async () => {
    expect(await distilog(['verify', '--distiset', 'out'], { cwd })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^intact: out, 2 files, 100 rows, equal to run numbers-\w+ at position \d+\.\nnot proven by the log: written by distilog .*\nnot proven by the log: exported by .*\n$/,
      ),
    });
    expect(await json(['verify', '--distiset', 'out'], { cwd })).toMatchObject({
      ok: true,
      isRecorded: true,
      files: 2,
      rows: 100,
      differences: [],
    });
  });

  it('names each alteration: a byte, a missing file, forged metadata, a card that points to other files', async () => {
    const even = fs.readFileSync(file('even/train-00000-of-00001.jsonl'), 'utf8');
    const metadata = fs.readFileSync(file('distilog.json'), 'utf8');
    const card = fs.readFileSync(file('README.md'), 'utf8');
    const found = async () => await json<{ differences: string[]; isRecorded: boolean }>(['verify', '--distiset', 'out'], { cwd });

    fs.writeFileSync(file('even/train-00000-of-00001.jsonl'), even.replace('"n":8', '"n":9'));
    expect((await found()).differences).toEqual(['even/train-00000-of-00001.jsonl: row 4 is {"n":9}, and the log has {"n":8}']);
    fs.rmSync(file('even/train-00000-of-00001.jsonl'));
    expect((await found()).differences).toEqual(['even/train-00000-of-00001.jsonl is missing']);
    fs.writeFileSync(file('even/train-00000-of-00001.jsonl'), even);

    fs.writeFileSync(file('distilog.json'), metadata.replace('"status": "succeeded"', '"status": "running"'));
    expect((await found()).differences).toEqual(['distilog.json: run.status is "running", and the log gives "succeeded"']);
    fs.writeFileSync(file('distilog.json'), metadata.replace('"hash": "', '"hash": "0'));
    expect((await found()).differences).toEqual([expect.stringMatching(/^distilog\.json: asOf\.hash is "0/)]);
    fs.writeFileSync(file('distilog.json'), metadata);

    fs.writeFileSync(file('README.md'), card.replace('even/train-*', '*/train-*'));
    expect((await found()).differences).toEqual([
      'README.md: configs[0].data_files[0].path is "*/train-*", and the log gives "even/train-*"',
    ]);
    fs.writeFileSync(file('README.md'), card);

    expect(await distilog(['verify', '--distiset', '.'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not a dataset that distilog wrote'),
    });
  });
});
