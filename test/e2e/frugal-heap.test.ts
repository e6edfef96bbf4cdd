import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { finished, start, workFolder } from './command.ts';

const telling = `
import fs from 'node:fs';
fs.writeFileSync('told.json', JSON.stringify({ pid: process.pid, execArgv: process.execArgv, mark: process.env.DISTILOG_HEAP }));
export default null;
`;

describe('the heap of the command line', () => {
  it.each([
    ['run', {}, ['--max-semi-space-size=8', '--heap-growing-percent=100'], 'this'],
    ['run', { NODE_OPTIONS: '--max-semi-space-size=8' }, [], 'none'],
    // A mark that came from a process above says nothing about this one.
    ['run', { DISTILOG_HEAP: '1' }, ['--max-semi-space-size=8'], 'this'],
  ] as const)('is small unless somebody chose its shape, in the process that was started: %s %j', async (command, env, flags, mark) => {
    const cwd = workFolder();
    fs.writeFileSync(path.join(cwd, 'telling.ts'), telling);
    const child = start([command, 'telling.ts'], { cwd, env });
    expect(await finished(child)).toMatchObject({ code: 2, stderr: expect.stringContaining('telling.ts') });
    const told = JSON.parse(fs.readFileSync(path.join(cwd, 'told.json'), 'utf8')) as { pid: number; execArgv: string[]; mark?: string };
    expect(told.pid).toBe(child.pid);
    expect(told.execArgv).toEqual(expect.arrayContaining([...flags, '--no-warnings']));
    expect(told.mark).toBe(mark === 'this' ? String(child.pid) : undefined);
  });
});
