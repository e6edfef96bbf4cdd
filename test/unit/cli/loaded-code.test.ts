import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Probed } from './probe.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../../..');
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-loaded-')));

const whole = (...lines: readonly string[]) =>
  [
    `import { z } from 'zod';`,
    `import { pipeline } from 'distilog';`,
    ...lines,
    `export default pipeline('loaded', ({ source }) => { source('all', { output: z.object({ n: z.int() }), rows: [] }); });`,
  ].join('\n');
const manifest = (name: string, version: string, more: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ name, version, ...more });

const files: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ type: 'module', imports: { '#prompt': './prompts/why.ts', '#words': './words.json' } }),
  'p.ts': whole(
    `import { createRequire } from 'node:module';`,
    `import { why } from '#prompt';`,
    `import words from '#words' with { type: 'json' };`,
    `import { direct } from 'direct';`,
    `import { linked } from 'linked';`,
    `import type { T } from './types.ts';`,
    `const rows = createRequire(import.meta.url)('./rows.json');`,
    `const late = () => import('late/part.js');`,
    `void [why, words, direct, linked, rows, late];`,
  ),
  'enum.ts': whole(
    `enum Label { A = 'a' }`,
    `import { why } from '#prompt';`,
    `import { direct } from 'direct';`,
    `void [Label, why, direct];`,
  ),
  'prompts/why.ts': `import './more.ts';\nexport const why = 'why';\n`,
  'prompts/more.ts': `export {};\n`,
  'words.json': `["a"]\n`,
  'rows.json': `[1]\n`,
  'types.ts': `export type T = 1;\n`,
  'linked/package.json': manifest('linked', '0.0.0', { type: 'module', exports: './index.js' }),
  'linked/index.js': `export const linked = 1;\n`,
  'node_modules/direct/package.json': manifest('direct', '1.0.0', { type: 'module', exports: './index.js' }),
  'node_modules/direct/index.js': `import inner from 'inner';\nexport const direct = inner;\n`,
  'node_modules/direct/other.js': `import 'unreached';\n`,
  'node_modules/inner/package.json': manifest('inner', '2.0.0'),
  // Both require one file by one name: Node looks it up for the first of them only.
  'node_modules/inner/index.js': `require('./one'); module.exports = require('./two');\n`,
  'node_modules/inner/one.js': `require('@scope/deep');\n`,
  'node_modules/inner/two.js': `require('@scope/deep'); module.exports = 2;\n`,
  'node_modules/@scope/deep/package.json': manifest('@scope/deep', '3.0.0-rc.1'),
  'node_modules/@scope/deep/index.js': `module.exports = 3;\n`,
  'node_modules/late/package.json': manifest('late', '4.0.0'),
  'node_modules/late/part.js': `module.exports = 4;\n`,
  'node_modules/unreached/package.json': manifest('unreached', '5.0.0'),
  'node_modules/unreached/index.js': ``,
};

type Loaded = Extract<Probed, { ok: true }>;

function probed(name: string, ...flags: readonly string[]): Loaded {
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', ...flags, path.join(here, 'probe.ts'), name], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const { [name]: it } = JSON.parse(stdout || '{}') as Record<string, Probed>;
  if (!it?.ok) throw new Error(`${name} was not loaded: ${it?.message ?? stderr}`);
  return it;
}
const write = (name: string, text: string) => {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
};
const packages = ({ loaded }: Loaded) =>
  Object.fromEntries(loaded.packages.map(({ name, version, sha256 }) => [name, { version, sha256 }]));

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) write(name, text);
  fs.symlinkSync(root, path.join(folder, 'node_modules/distilog'));
  fs.symlinkSync(path.join(root, 'node_modules/zod'), path.join(folder, 'node_modules/zod'));
  fs.symlinkSync(path.join(folder, 'linked'), path.join(folder, 'node_modules/linked'));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('the code that is loaded with a pipeline', () => {
  it('is its packages with their dependencies, and its own files under any import name', () => {
    const it = probed('p.ts');
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(packages(it)).toEqual({
      '@scope/deep': { version: '3.0.0-rc.1', sha256: hash },
      direct: { version: '1.0.0', sha256: hash },
      inner: { version: '2.0.0', sha256: hash },
      late: { version: '4.0.0', sha256: null },
      zod: { version: expect.any(String) as string, sha256: hash },
    });
    expect(it.loaded.imports).toEqual([
      { from: 'p.ts', name: '#prompt', to: 'prompts/why.ts' },
      { from: 'p.ts', name: '#words', to: 'words.json' },
      { from: 'p.ts', name: 'linked', to: 'linked/index.js' },
    ]);
    expect(it.loaded.more).toBe(null);
    expect(it.sources.map((source) => source.path)).toEqual([
      'linked/index.js',
      'p.ts',
      'prompts/more.ts',
      'prompts/why.ts',
      'rows.json',
      'types.ts',
      'words.json',
    ]);
    expect(it.relativeSources.map((source) => source.path)).toEqual(['p.ts', 'types.ts']);
  });

  it('is found if the file has an enum', () => {
    const it = probed('enum.ts');
    expect(Object.keys(packages(it)).sort()).toEqual(['@scope/deep', 'direct', 'inner', 'zod']);
    expect(it.sources.map((source) => source.path)).toEqual(['enum.ts', 'prompts/more.ts', 'prompts/why.ts']);
  });

  it('is found behind a CommonJS file whose requires were already resolved for another file', () => {
    const before = [
      `import { recordModules } from ${JSON.stringify(path.join(root, 'src/kit/module-graph.ts'))};`,
      `const stop = recordModules();`,
      `await import('./node_modules/inner/one.js');`,
      `stop();`,
    ];
    write('before.mjs', before.join('\n'));
    write('node_modules/inner/index.js', `module.exports = require('./two');\n`);
    expect(Object.keys(packages(probed('p.ts', '--import', './before.mjs')))).toContain('@scope/deep');
  });

  it('differs if the loaded code of a package differs under the same version', () => {
    const before = packages(probed('p.ts'));
    write('node_modules/direct/other.js', `import 'inner';\n`);
    expect(packages(probed('p.ts'))).toEqual(before);
    write('node_modules/@scope/deep/index.js', `module.exports = 33;\n`);
    const after = packages(probed('p.ts'));
    expect(after['@scope/deep']?.sha256).not.toBe(before['@scope/deep']?.sha256);
    expect({ ...after, '@scope/deep': null }).toEqual({ ...before, '@scope/deep': null });
  });

  it('is bounded: packages beyond five hundred are counted and hashed together', () => {
    const names = Array.from({ length: 510 }, (_, n) => `many-${n}`);
    for (const name of names) {
      write(`node_modules/${name}/package.json`, manifest(name, '1.0.0', { type: 'module', exports: './index.js' }));
      write(`node_modules/${name}/index.js`, `export {};\n`);
    }
    write('many.ts', whole(...names.map((name) => `import '${name}';`)));
    const { loaded } = probed('many.ts');
    expect(loaded.packages).toHaveLength(500);
    expect(loaded.more).toMatchObject({ count: 11 });
    expect(JSON.stringify(loaded).length).toBeLessThan(64 * 1024);
    write('node_modules/many-509/package.json', manifest('many-509', '1.0.1', { type: 'module', exports: './index.js' }));
    expect(probed('many.ts').loaded.more?.sha256).not.toBe(loaded.more?.sha256);
  });
});
