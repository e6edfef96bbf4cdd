// Standard output or error that cannot be written: a full disk, a reader that left.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { distilog, environmentIn, program, workFolder } from './command.ts';

const cwd = await workFolder();
const pipeline = (name: string, fails: boolean) => `
import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('${name}', ({ source }) => {
  source('items', { output: z.object({ n: z.int(), text: z.string() }), rows: Array.from({ length: 500 }, (_, n) => ({ n, text: 'x'.repeat(500) })) })
    .map('twice', { output: z.object({ twice: z.int() }), retry: { attempts: 1 }, run: ({ n }) => {
      console.log('printed by a step');
      if (${fails} && n === 3) throw new Error('no');
      return { twice: 2 * n };
    } });
});
`;
let runId = '';

beforeAll(async () => {
  fs.writeFileSync(path.join(cwd, 'good.ts'), pipeline('good', false));
  fs.writeFileSync(path.join(cwd, 'partial.ts'), pipeline('partial', true));
  const { stdout, stderr, code } = await distilog(['run', 'good.ts'], { cwd });
  expect(code, stderr).toBe(0);
  [runId = ''] = stdout.split('\n');
});

/** Runs a shell command in which `$DISTILOG` is the command line. */
function shell(command: string): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const words = [process.execPath, '--no-warnings', program];
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
    cwd,
    encoding: 'utf8',
    env: { ...environmentIn(cwd), DISTILOG: words.join(' ') },
  });
  return { code: status, stdout, stderr };
}
const stack = /\n\s+at |node:internal|Node\.js v/;
const hasFull = fs.existsSync('/dev/full');

describe.skipIf(!hasFull)(`output to a full disk${hasFull ? '' : ' (skipped: there is no /dev/full)'}`, () => {
  it.each(['runs', 'status', 'log', 'rows --step twice', 'rows --step twice --json', 'distiset', 'verify', '--help', 'db status'])(
    'of %s ends it with a sentence and exit code 1',
    (command) => {
      const { code, stderr } = shell(`$DISTILOG ${command} > /dev/full`);
      expect(stderr).toMatch(/^error: Standard output is incomplete: its disk is full \(ENOSPC\)\.$/m);
      expect(stderr).not.toMatch(stack);
      expect(code).toBe(1);
    },
  );

  it('does not end a run: it continues, and its exit code reports the loss unless the run ends worse', async () => {
    const good = shell('$DISTILOG run good.ts > /dev/full');
    expect(good.stderr).toContain('(ENOSPC). The run continues.');
    expect(good.stderr).not.toMatch(stack);
    expect(good.code).toBe(1);
    expect((await distilog(['status'], { cwd })).stdout).toContain('succeeded');
    expect(shell('$DISTILOG run partial.ts > /dev/full').code).toBe(3);
  });

  it('for errors does not affect the result', () => {
    expect(shell(`$DISTILOG status ${runId} 2> /dev/full`)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('succeeded') as string,
    });
    expect(shell('$DISTILOG status no-such-run 2> /dev/full')).toMatchObject({ code: 2 });
    expect(shell('$DISTILOG run good.ts 2> /dev/full')).toMatchObject({ code: 0, stdout: expect.stringContaining('succeeded') as string });
  });

  it('is reported even if the disk took a part', () => {
    // A limit on the size of files stands for the disk: a write is then cut short, before one fails.
    const { code, stderr } = shell(`trap '' XFSZ; ulimit -f 64; $DISTILOG rows ${runId} --step twice --first 500 --json > cut.jsonl`);
    expect(fs.statSync(path.join(cwd, 'cut.jsonl')).size).toBeGreaterThan(0);
    expect(stderr).toMatch(/Standard output is incomplete: .*\(EFBIG\)/);
    expect(code).toBe(1);
  });
});

describe('a reader that leaves', () => {
  it.each(['log', 'rows --step twice --first 500', 'rows --step twice --first 500 --json', 'sql "select repeat(\'x\', 1000) from events"'])(
    'ends %s quietly',
    (command) => {
      const { code, stdout, stderr } = shell(`set -o pipefail; $DISTILOG ${command.replace(/^(log|rows)/, `$1 ${runId}`)} | head -n 1`);
      expect(stderr).toBe('');
      expect(stdout.split('\n')).toHaveLength(2);
      expect(code).toBe(0);
    },
  );

  it('does not end a run, and does not hide its outcome', async () => {
    const { stdout, stderr } = shell('($DISTILOG run partial.ts; echo "$?" > code) | head -n 1');
    expect(stderr).not.toMatch(stack);
    expect(fs.readFileSync(path.join(cwd, 'code'), 'utf8')).toBe('3\n');
    expect((await distilog(['status', stdout.trim()], { cwd })).stdout).toContain('partial');
  });

  it('of standard error ends nothing', () => {
    const { code, stdout } = shell(`$DISTILOG run good.ts 2> >(exec 0<&-; exit) `);
    expect(code).toBe(0);
    expect(stdout).toContain('succeeded');
  });
});
