import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-package-'));
fs.chmodSync(folder, 0o755);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const run = (command: string, args: readonly string[], cwd = folder): string =>
  execFileSync(command, [...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: '', DISTILOG_STORE: '', DISTILOG_IDLE_MS: '200' },
  });

describe('the packed package', () => {
  it('installs into a fresh folder, brings its types and its command, and runs a pipeline', () => {
    run('npm', ['pack', '--silent', '--pack-destination', folder], root);
    const [tarball] = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "private": true }');
    run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball}`]);
    fs.writeFileSync(
      path.join(folder, 'pipeline.ts'),
      `import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('packed', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }] }).map('twice', { output: z.object({ twice: z.int() }), run: ({ n }) => ({ twice: 2 * n }) });
});
`,
    );
    const program = path.join(folder, 'node_modules/.bin/distilog');
    expect(run(process.execPath, [program, 'run', 'pipeline.ts'])).toContain('succeeded');
    run(process.execPath, [program, 'distiset', '--out', 'dataset']);
    expect(fs.readdirSync(path.join(folder, 'dataset', 'data'))).toEqual(['train-00000-of-00001.parquet']);
    run(process.execPath, [program, 'db', 'stop']);
    const other = path.join(folder, 'other');
    fs.mkdirSync(path.join(other, 'node_modules/distilog'), { recursive: true });
    fs.writeFileSync(
      path.join(other, 'node_modules/distilog/package.json'),
      '{ "name": "distilog", "version": "0.0.9", "exports": "./index.js" }',
    );
    fs.writeFileSync(path.join(other, 'node_modules/distilog/index.js'), `throw new Error('another copy was loaded');`);
    fs.copyFileSync(path.join(folder, 'pipeline.ts'), path.join(other, 'pipeline.ts'));
    expect(run(process.execPath, [program, 'try', 'pipeline.ts'], other)).toContain('succeeded');
    fs.writeFileSync(
      path.join(folder, 'rehearsal.ts'),
      `import { rehearse } from 'distilog/testing';
import packed from './pipeline.ts';
const { steps } = await rehearse(packed, { take: 1 });
console.log(JSON.stringify(steps['twice']));
`,
    );
    expect(run(process.execPath, ['--no-warnings', 'rehearsal.ts'])).toBe('[{"n":1,"twice":2}]\n');
    const options = [
      '--noEmit',
      '--strict',
      '--target',
      'es2024',
      '--module',
      'nodenext',
      '--skipLibCheck',
      '--allowImportingTsExtensions',
    ];
    const compile = [...options, 'pipeline.ts', 'rehearsal.ts'];
    expect(run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), ...compile])).toBe('');
  }, 180_000);
});
