import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Probed } from './probe.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
// Within the repository, so that 'distilog' and 'zod' are found as in a project.
const folder = fs.mkdtempSync(path.join(here, 'files-'));

const head = `import { z } from 'zod';\nimport { pipeline } from 'distilog';\n`;
const body = `({ source }) => { source('all', { output: z.object({ n: z.int() }), rows: [] }); }`;
const good = (name = 'good') => `pipeline('${name}', ${body})`;
const whole = (rest = '') => `${head}${rest}export default ${good()};\n`;

const files: Readonly<Record<string, string>> = {
  'good.ts': whole(),
  'good.js': whole(),
  'good.mts': whole(),
  'named.ts': `${head}export const words = ${good('words')};\nexport const other = 1;\n`,
  'both.ts': `${head}export const words = ${good('words')};\nexport default ${good('chosen')};\n`,
  'several.ts': `${head}export const a = ${good('a')};\nexport const b = ${good('b')};\n`,
  'none.ts': `export const something = 1;\nexport default 2;\n`,
  'nothing.ts': `const something = 1;\n`,
  'factory.ts': `${head}export default () => ${good()};\n`,
  'broken.ts': `${head}const a = 1;\nexport default pipeline('x', ({ source }) => { ;\n`,
  'broken-type.ts': `${head}\n\nconst a: = 1;\nexport default ${good()};\n`,
  'broken.js': `${head}const a = ;\n`,
  'broken-import.ts': `import './broken-type.ts';\n${whole()}`,
  'broken-import.js': `import './broken.js';\n${whole()}`,
  'throws.ts': `${head}\nthrow new Error('not today');\n`,
  'throws-deep.ts': `import { fail } from './fail.ts';\n${head}\nfail();\nexport default ${good()};\n`,
  'fail.ts': `export function fail(): never {\n  throw new Error('from below');\n}\n`,
  'throws-text.ts': `throw 'a text';\n`,
  'throws-nothing.ts': `throw undefined;\n`,
  'missing-import.ts': `import './not-there.ts';\n${whole()}`,
  'missing-package.ts': `import 'no-such-package-anywhere';\n${whole()}`,
  'missing-name.ts': `import { nope } from './lib/prompt.ts';\nnope;\n${whole()}`,
  'enum.ts': whole(`enum Label { A = 'a', B = 'b' }\nif (Label.A !== 'a') throw new Error('enum');\n`),
  'parameter-property.ts': whole(`class A { constructor(readonly a: number) {} }\nif (new A(3).a !== 3) throw new Error('property');\n`),
  'namespace.ts': whole(`namespace Words { export const one = 1; }\nif (Words.one !== 1) throw new Error('namespace');\n`),
  'enum-throws.ts': `${head}enum Label { A = 'a' }\n\nthrow new Error(Label.A);\n`,
  'enum-import.ts': `import { Label } from './labels.ts';\n${whole(`if (Label.A !== 'a') throw new Error('enum');\n`)}`,
  'labels.ts': `export enum Label { A = 'a' }\n`,
  'imports.ts': [
    `import { prompt } from './lib/prompt.ts';`,
    `import words from './words.json' with { type: 'json' };`,
    `export type { Row } from './lib/row.ts';`,
    `const late = () => import('./late.ts');`,
    whole(`void [prompt, words, late];\n`),
  ].join('\n'),
  'lib/prompt.ts': `import { suffix } from '../suffix.ts';\nexport const prompt = 'why' + suffix;\n`,
  'lib/row.ts': `export interface Row { a: 1 }\n`,
  'suffix.ts': `import './lib/prompt.ts';\nexport const suffix = '?';\n`,
  'late.ts': `export {};\n`,
  'words.json': `["a"]\n`,
  'unrelated.ts': `export {};\n`,
  'enum-typeless/package.json': `{}`,
  'enum-typeless/p.ts': whole(`enum Label { A = 'a' }\nif (Label.A !== 'a') throw new Error('enum');\n`),
  'enum.cts': `enum Label { A = 'a' }\nmodule.exports = { label: Label.A };\n`,
  'enum-require.ts': `import labels from './enum.cts';\n${whole(`if (labels.label !== 'a') throw new Error('enum');\n`)}`,
  'twice.ts': `${head}const a: number = 1;\n\nconst a: number = 2;\nexport default ${good()};\n`,
  'readme.md': `# Not a pipeline\n`,
};

let probed: Readonly<Record<string, Probed>> = {};

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  const names = [...Object.keys(files), './good.ts', 'not-there.ts', 'x'.repeat(300), 'good', 'lib', path.join(folder, 'good.ts')];
  const args = ['--no-warnings', path.join(here, 'probe.ts'), ...names];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect(stdout, stderr).not.toBe('');
  probed = JSON.parse(stdout) as typeof probed;
});

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** What loading a file gave, or said. */
function loaded(file: string): Extract<Probed, { ok: true }> {
  const it = probed[file];
  if (!it?.ok) throw new Error(`${file} was not loaded: ${it?.message}`);
  return it;
}

describe('a pipeline file', () => {
  it.each(['good.ts', 'good.js', 'good.mts', './good.ts', path.join(folder, 'good.ts')])('is loaded without a build step: %s', (file) => {
    expect(loaded(file)).toMatchObject({ name: 'good', file });
  });

  it('exports its pipeline as default, or as the only one under any name', () => {
    expect(loaded('named.ts').name).toBe('words');
    expect(loaded('both.ts').name).toBe('chosen');
  });

  it.each(['enum.ts', 'parameter-property.ts', 'namespace.ts', 'enum-import.ts', 'enum-typeless/p.ts', 'enum-require.ts'])(
    'may use what Node does not strip: %s',
    (file) => {
      expect(loaded(file).name).toBe('good');
    },
  );

  it.each<[string, string, RegExp]>([
    ['not-there.ts', 'no-such-file', /^There is no file not-there\.ts\. Give the path of a pipeline: distilog run pipeline\.ts$/],
    ['x'.repeat(300), 'no-such-file', /^x{200}… cannot be read \(ENAMETOOLONG\)\. Give the path of a pipeline/],
    ['good', 'no-such-file', /^There is no file good\. /],
    ['lib', 'no-such-file', /^lib is a folder\. Give the path of a pipeline file in it\.$/],
    ['broken.ts', 'pipeline-not-loaded', /^broken\.ts:[45] does not compile: \S.*$/],
    ['broken-type.ts', 'pipeline-not-loaded', /^broken-type\.ts:5 does not compile: \S.*$/],
    ['broken.js', 'pipeline-not-loaded', /^broken\.js:3 does not compile: \S.*$/],
    ['broken-import.ts', 'pipeline-not-loaded', /^broken-type\.ts:5 does not compile: \S.*$/],
    ['broken-import.js', 'pipeline-not-loaded', /^broken\.js:3 does not compile: \S.*$/],
    ['twice.ts', 'pipeline-not-loaded', /^twice\.ts:5 does not compile: Identifier 'a' has already been declared$/],
    ['throws.ts', 'pipeline-not-loaded', /^throws\.ts:4 threw while it was loaded: not today$/],
    ['throws-deep.ts', 'pipeline-not-loaded', /^throws-deep\.ts:5 threw while it was loaded: from below$/],
    ['throws-text.ts', 'pipeline-not-loaded', /^throws-text\.ts threw while it was loaded: a text$/],
    ['throws-nothing.ts', 'pipeline-not-loaded', /^throws-nothing\.ts threw while it was loaded: undefined$/],
    ['enum-throws.ts', 'pipeline-not-loaded', /^enum-throws\.ts:5 threw while it was loaded: a$/],
    ['missing-import.ts', 'pipeline-not-loaded', /^missing-import\.ts imports a module that does not exist: .*not-there\.ts/],
    ['missing-package.ts', 'pipeline-not-loaded', /^missing-package\.ts imports a module that does not exist: .*no-such-package-anywhere/],
    ['missing-name.ts', 'pipeline-not-loaded', /^missing-name\.ts:1 .*nope/],
    [
      'readme.md',
      'pipeline-not-loaded',
      /^readme\.md is not a TypeScript or JavaScript file\. Give one that ends in \.ts, \.mts, \.cts, \.js, \.mjs, \.cjs\.$/,
    ],
    ['none.ts', 'no-pipeline', /^none\.ts exports no pipeline, only default, something\. Write: export default pipeline\('name', /],
    ['nothing.ts', 'no-pipeline', /^nothing\.ts exports nothing\. Write: export default pipeline\(/],
    ['factory.ts', 'no-pipeline', /^factory\.ts exports no pipeline, only default\./],
    ['several.ts', 'no-pipeline', /^several\.ts exports several pipelines \(a, b\)\. Make one of them the default export/],
  ])('that cannot be used gets a message: %s', (file, code, says) => {
    expect(probed[file]).toMatchObject({ ok: false, code, message: expect.stringMatching(says) as string });
    expect(probed[file]).toMatchObject({ message: expect.not.stringMatching(/\n|\(node:/) as string });
  });
});

describe('a Node that only strips types', () => {
  it('reports the line of an enum, and what to write instead', () => {
    const plain = path.join(folder, 'plain-node.mjs');
    const text = `import module, { syncBuiltinESMExports } from 'node:module';
const { stripTypeScriptTypes } = module;
module.stripTypeScriptTypes = (code, options) => {
  if (options?.mode === 'transform') throw Object.assign(new Error('no such mode'), { code: 'ERR_INVALID_ARG_VALUE' });
  return stripTypeScriptTypes(code, options);
};
syncBuiltinESMExports();
`;
    fs.writeFileSync(plain, text);
    const args = ['--no-warnings', '--import', plain, path.join(here, 'probe.ts'), 'enum.ts'];
    const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
    const said = JSON.parse(stdout) as typeof probed;
    expect(said['enum.ts']).toMatchObject({
      code: 'pipeline-not-loaded',
      message: expect.stringMatching(
        /^enum\.ts:3 has TypeScript syntax that this version of Node cannot run: .*enum.* Write a const object for an enum/,
      ) as string,
    });
  });
});

describe('the sources of a pipeline', () => {
  it('are the file and its local imports of any kind, with paths relative to its folder', () => {
    const { sources } = loaded('imports.ts');
    expect(sources.map((source) => source.path)).toEqual([
      'imports.ts',
      'late.ts',
      'lib/prompt.ts',
      'lib/row.ts',
      'suffix.ts',
      'words.json',
    ]);
    for (const source of sources) expect(source.text).toBe(files[source.path]);
  });

  it('are the file alone if it imports only packages', () => {
    expect(loaded('good.ts').sources).toEqual([{ path: 'good.ts', text: files['good.ts'] }]);
  });

  it('do not depend on how the file is named', () => {
    expect(loaded(path.join(folder, 'good.ts')).sources).toEqual(loaded('good.ts').sources);
  });
});
