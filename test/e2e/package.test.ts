import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-package-'));
fs.chmodSync(folder, 0o755);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Paths of the files in the tarball. */
let packed: readonly string[];

const run = (command: string, args: readonly string[], cwd = folder): string =>
  execFileSync(command, [...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: '', DISTILOG_STORE: '', DISTILOG_IDLE_MS: '200' },
  });

/** Compiles files of the folder that uses the package, strictly, its declarations included. Returns the compiler's messages. */
function compile(module: string, moduleResolution: string, files: readonly string[]): string {
  const config = `tsconfig.${moduleResolution}.json`;
  const compilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    allowImportingTsExtensions: true,
    target: 'es2024',
    module,
    moduleResolution,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
  };
  fs.writeFileSync(path.join(folder, config), JSON.stringify({ compilerOptions, files }));
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  try {
    return run(process.execPath, [compiler, '-p', config]);
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}

beforeAll(() => {
  const [tarball] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root)) as readonly [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  packed = tarball.files.map((file) => file.path);
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "private": true }');
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${tarball.filename}`]);
  fs.writeFileSync(
    path.join(folder, 'pipeline.ts'),
    `import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('packed', ({ source }) => {
  source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }] }).map('twice', { output: z.object({ twice: z.int() }), run: ({ n }) => ({ twice: 2 * n }) });
});
`,
  );
  fs.writeFileSync(
    path.join(folder, 'rehearsal.ts'),
    `import { rehearse } from 'distilog/testing';
import packed from './pipeline.ts';
const { steps } = await rehearse(packed, { take: 1 });
console.log(JSON.stringify(steps['twice']));
`,
  );
  fs.writeFileSync(
    path.join(folder, 'library.ts'),
    `import { openStore, plan, startPipeline, type GraphState, type MapStep, type RecordedEvent } from 'distilog';
import { languageModel, toSft, type AnyModel, type SftColumns, type SftRow } from 'distilog/llm';
import packed from './pipeline.ts';
export const sft: MapStep<SftRow, SftColumns> = toSft();
export const model: AnyModel = languageModel('any');
export async function run(): Promise<readonly [GraphState, readonly RecordedEvent[]]> {
  const events: RecordedEvent[] = [];
  const store = await openStore({ folder: '.' });
  const driven = await startPipeline(store, plan(packed), { onRecorded: (recorded) => events.push(...recorded) });
  await driven.drive();
  return [driven.state(), events];
}
`,
  );
}, 180_000);

describe('the packed package', () => {
  it('installs into a fresh folder with its command, and runs and rehearses a pipeline', () => {
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
    expect(run(process.execPath, ['--no-warnings', 'rehearsal.ts'])).toBe('[{"n":1,"twice":2}]\n');
  }, 180_000);

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('compiles without skipLibCheck in a project of module %s and resolution %s', (module, moduleResolution) => {
    expect(compile(module, moduleResolution, ['pipeline.ts', 'rehearsal.ts', 'library.ts'])).toBe('');
  });

  it('contains every file and folder that its documents link to', () => {
    const dangling = packed
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) => {
        const text = fs.readFileSync(path.join(folder, 'node_modules/distilog', file), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
        return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link = '']) => ({
          file,
          link: path.posix.join(path.posix.dirname(file), link),
        }));
      })
      .filter(({ link }) => !packed.some((each) => each === link || each.startsWith(`${link.replace(/\/$/, '')}/`)));
    expect(packed).toContain('docs/GUIDE.md');
    expect(dangling).toEqual([]);
  });

  it('names its origin', () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'node_modules/distilog/package.json'), 'utf8')) as object;
    const address: unknown = expect.stringContaining('://');
    expect(manifest).toMatchObject({
      author: 'the distilog authors',
      repository: { url: address },
      homepage: address,
      bugs: { url: address },
    });
  });
});
