import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { finished, start, workFolder } from './command.ts';

const telling = `
import fs from 'node:fs';
fs.writeFileSync('told.json', JSON.stringify({ pid: process.pid, execArgv: process.execArgv, mark: process.env.DISTILOG_HEAP }));
export default null;
`;

/** Rows of nine million characters together. */
const large = `
import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('large', ({ source }) => {
  source('all', { output: z.object({ text: z.string() }), rows: Array.from({ length: 9 }, (_, n) => ({ text: String(n).repeat(1_000_000) })) });
});
`;

/** Tells how often an export had V8 collect. */
const counting = `
import fs from 'node:fs';
const { gc } = globalThis;
let count = 0;
if (gc) globalThis.gc = () => { count++; gc(); };
process.on('exit', () => fs.writeFileSync('collected', String(count)));
`;

describe('the heap of the command line', () => {
  it.each([
    ['run', {}, ['--max-semi-space-size=8', '--heap-growing-percent=100'], 'this'],
    ['run', { NODE_OPTIONS: '--max-semi-space-size=8' }, [], 'none'],
    // A mark that came from a process above says nothing about this one.
    ['run', { DISTILOG_HEAP: '1' }, ['--max-semi-space-size=8'], 'this'],
  ] as const)('is small unless the user chose its size, in the process that was started: %s %j', async (command, env, flags, mark) => {
    const cwd = await workFolder();
    fs.writeFileSync(path.join(cwd, 'telling.ts'), telling);
    const child = start([command, 'telling.ts'], { cwd, env });
    expect(await finished(child)).toMatchObject({ code: 2, stderr: expect.stringContaining('telling.ts') });
    const told = JSON.parse(fs.readFileSync(path.join(cwd, 'told.json'), 'utf8')) as { pid: number; execArgv: string[]; mark?: string };
    expect(told.pid).toBe(child.pid);
    expect(told.execArgv).toEqual(expect.arrayContaining([...flags, '--no-warnings']));
    expect(told.mark).toBe(mark === 'this' ? String(child.pid) : undefined);
  });

  it('is collected between the blocks of an export', async () => {
    const cwd = await workFolder();
    fs.writeFileSync(path.join(cwd, 'large.ts'), large);
    fs.writeFileSync(path.join(cwd, 'counting.mjs'), counting);
    expect(await finished(start(['run', 'large.ts'], { cwd }))).toMatchObject({ code: 0 });
    const env = { NODE_OPTIONS: `--import ${path.join(cwd, 'counting.mjs')}` };
    expect(await finished(start(['distiset', '--out', 'dataset'], { cwd, env }))).toMatchObject({ code: 0 });
    expect(fs.readFileSync(path.join(cwd, 'collected'), 'utf8')).toBe('1');
  });
});
