import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeWholeFile } from '../../../src/cli/whole-file.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-file-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

async function* lines(count: number, onLine: (line: number) => void = () => undefined): AsyncGenerator<string> {
  for (let line = 0; line < count; line++) {
    onLine(line);
    yield `line ${line} ${'x'.repeat(1000)}`;
  }
}

describe('a file that is written atomically', () => {
  it('exists when it is complete, and not before', async () => {
    const target = path.join(folder, 'whole');
    const count = await writeWholeFile(
      target,
      '--export',
      lines(2_000, () => expect(fs.existsSync(target)).toBe(false)),
    );
    expect(count).toBe(2_000);
    expect(fs.readFileSync(target, 'utf8').trimEnd().split('\n')).toHaveLength(2_000);
    expect(fs.readdirSync(folder)).toEqual(['whole']);
  });

  it('leaves nothing behind if its writer fails', async () => {
    const broken = lines(2_000, (line) => {
      if (line === 1_000) throw new Error('the store is away');
    });
    await expect(writeWholeFile(path.join(folder, 'broken'), '--export', broken)).rejects.toThrow('the store is away');
    expect(fs.readdirSync(folder)).toEqual(['whole']);
  });

  it('does not overwrite a file that was created meanwhile', async () => {
    const target = path.join(folder, 'raced');
    const raced = lines(3, () => fs.writeFileSync(target, 'mine'));
    await expect(writeWholeFile(target, '--export', raced)).rejects.toThrow(
      /raced exists already and was not overwritten\. Give another --export/,
    );
    expect(fs.readFileSync(target, 'utf8')).toBe('mine');
    expect(fs.readdirSync(folder).sort()).toEqual(['raced', 'whole']);
  });
});
