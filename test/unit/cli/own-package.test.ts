import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Probed } from './probe.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../../..');
const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };

const pipelineFile = (...imports: readonly string[]) => `
import { z } from 'zod';
import { pipeline } from 'distilog';
${imports.join('\n')}
export default pipeline('own', ({ source }) => { source('all', { output: z.object({ n: z.int() }), rows: [] }); });
`;
const exports = { '.': './index.js', './llm': './index.js', './testing': './index.js' };
const manifest = (name: string, its: string) => JSON.stringify({ name, version: its, type: 'module', exports });
const otherCopy = `throw new Error('another copy was loaded');\n`;

let folder = '';
beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-own-')));
  write('package.json', '{ "type": "module" }');
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(path.join(root, 'node_modules/zod'), path.join(folder, 'node_modules/zod'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
}

function install(at: string, name: string, its: string, code: string): void {
  write(`${at}node_modules/${name}/package.json`, manifest(name, its));
  write(`${at}node_modules/${name}/index.js`, code);
}

function probed(...names: readonly string[]): { readonly loaded: Readonly<Record<string, Probed>>; readonly stderr: string } {
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', path.join(here, 'probe.ts'), ...names], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect(stdout, stderr).not.toBe('');
  return { loaded: JSON.parse(stdout) as Readonly<Record<string, Probed>>, stderr };
}

const all = ['', '/llm', '/testing'].map((door, n) => `import * as own${n} from 'distilog${door}'; void own${n};`);

describe('distilog in a pipeline file', () => {
  it('is the running copy if the folder has none', () => {
    write('p.ts', pipelineFile(...all));
    expect(probed('p.ts')).toMatchObject({ loaded: { 'p.ts': { ok: true } }, stderr: '' });
  });

  it('is the running copy if the folder has another version, which is reported once', () => {
    install('', 'distilog', '0.0.9', otherCopy);
    write('p.ts', pipelineFile(...all, `import './lib/prompts.ts';`));
    write('lib/prompts.ts', `import { Fault } from 'distilog';\nvoid Fault;\n`);
    write('later.cts', `const { Fault } = require('distilog');\nvoid Fault;\n`);
    write('q.ts', pipelineFile(`import './later.cts';`, `await import('distilog/testing');`));
    const { loaded, stderr } = probed('p.ts', 'q.ts');
    expect(loaded).toMatchObject({ 'p.ts': { ok: true }, 'q.ts': { ok: true } });
    expect(stderr).toBe(
      `p.ts imports distilog, and node_modules/distilog has version 0.0.9. This command uses its own version, ${version}.\n`,
    );
    for (const it of Object.values(loaded)) expect(it).toMatchObject({ loaded: { packages: [{ name: 'zod' }] } });
  });

  it('is not reported if the folder has the running version', () => {
    install('', 'distilog', version, otherCopy);
    write('p.ts', pipelineFile());
    expect(probed('p.ts')).toMatchObject({ loaded: { 'p.ts': { ok: true } }, stderr: '' });
  });

  it('is a package’s own copy for that installed package alone', () => {
    install('', 'steps', '1.0.0', `export { copy } from 'distilog';\n`);
    install('node_modules/steps/', 'distilog', '0.0.8', `export const copy = 'its own';\n`);
    write('p.ts', pipelineFile(`import { copy } from 'steps';`, `if (copy !== 'its own') throw new Error(copy);`));
    const { loaded, stderr } = probed('p.ts');
    expect(loaded).toMatchObject({ 'p.ts': { ok: true, loaded: { packages: [{ name: 'distilog', version: '0.0.8' }, {}, {}] } } });
    expect(stderr).toBe('');
  });
});
