import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './reading.ts';

const program = fileURLToPath(new URL('read-large.ts', import.meta.url));

describe('a file that is larger than the memory', () => {
  it.each(['jsonl', 'csv'])('is counted, hashed and read: %s', { timeout: 120_000 }, (format) => {
    const rows = 500_000;
    const file = path.join(temporaryFolder(), `large.${format}`);
    const heap = ['--max-old-space-size=48', '--max-semi-space-size=2'];
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', ...heap, program, format, file, String(rows)], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stdout, stderr).not.toBe('');
    const read = JSON.parse(stdout) as { told: number; all: number; last: number; megabytes: number; peak: number };
    expect(read).toMatchObject({ told: rows, all: rows, last: 3 });
    expect(read.megabytes).toBeGreaterThan(200);
    expect(read.peak).toBeLessThan(190);
  });
});
