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

describe('verify --distiset', () => {
  const cwd = workFolder();
  const file = (name: string) => path.join(cwd, 'out', name);

  beforeAll(async () => {
    fs.writeFileSync(path.join(cwd, 'numbers.ts'), pipelineFile);
    await distilog(['run', 'numbers.ts', '--json'], { cwd });
    await distilog(['distiset', '--out', 'out', '--format', 'jsonl'], { cwd });
  }, 60_000);

  it('finds a dataset as it was written, and that the side log tells of it', async () => {
    expect(await distilog(['verify', '--distiset', 'out'], { cwd })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^intact: out, 2 files, 100 rows, as numbers-\w+ had them at position \d+\.\n$/),
    });
    expect(await json(['verify', '--distiset', 'out'], { cwd })).toMatchObject({
      ok: true,
      isRecorded: true,
      files: 2,
      rows: 100,
      differences: [],
    });
  });

  it('names what was altered: a byte, a missing file, rows that the log does not have, metadata made up', async () => {
    const even = fs.readFileSync(file('even/train-00000-of-00001.jsonl'), 'utf8');
    const metadata = fs.readFileSync(file('distilog.json'), 'utf8');
    const found = async () => await json<{ differences: string[]; isRecorded: boolean }>(['verify', '--distiset', 'out'], { cwd });

    fs.writeFileSync(file('even/train-00000-of-00001.jsonl'), even.replace('"n":8', '"n":9'));
    expect((await found()).differences).toEqual(['even/train-00000-of-00001.jsonl is not the file that was written']);
    fs.rmSync(file('even/train-00000-of-00001.jsonl'));
    expect((await found()).differences).toEqual(['even/train-00000-of-00001.jsonl is not there']);
    fs.writeFileSync(file('even/train-00000-of-00001.jsonl'), even);

    const { configs } = JSON.parse(metadata) as { configs: { rowsSha256: string }[] };
    fs.writeFileSync(
      file('distilog.json'),
      metadata.replace(`"rowsSha256": "${configs[0]?.rowsSha256}`, `"rowsSha256": "${'0'.repeat(64)}`),
    );
    expect((await found()).differences).toEqual(['config even has other rows in the log']);
    fs.writeFileSync(file('distilog.json'), metadata.replace('"hash": "', '"hash": "0'));
    expect((await found()).differences).toEqual([
      expect.stringMatching(/the log has another hash at position \d+ than distilog\.json says/),
    ]);
    fs.writeFileSync(file('distilog.json'), metadata);

    expect(await distilog(['verify', '--distiset', '.'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is no dataset that distilog wrote'),
    });
  });
});
