import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/kit/sha256.ts';
import { readLocalSources } from '../../../src/cli/local-sources.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true });
});

/** Writes files, and reads the sources of the first. */
function sourcesOf(files: Readonly<Record<string, string>>) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog sources-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return readLocalSources(path.join(folder, Object.keys(files)[0] ?? ''));
}

const pathsOf = (files: Readonly<Record<string, string>>) => sourcesOf(files).map((source) => source.path);

describe('the sources of a pipeline', () => {
  it('are its file and all files that it imports by relative paths, by any kind of import', () => {
    const files = {
      'here/p.ts': `import './side.ts';\nimport { a } from "../above.mjs"\nexport * from './again.js';\nconst m = await import('./later.ts');\nimport { z } from 'zod';`,
      'here/side.ts': `import d from './data.json' with { type: 'json' };`,
      'here/data.json': `{ "not": "from './missing.ts'" }`,
      'above.mjs': `import type { T } from './here/types';`,
      'here/again.ts': `import './folder'`,
      'here/later.ts': '',
      'here/types.ts': `export type T = 1`,
      'here/folder/index.ts': `import '../p.ts'`,
      'here/stranger.ts': '',
    };
    expect(pathsOf(files)).toEqual(['../above.mjs', 'again.ts', 'data.json', 'folder/index.ts', 'later.ts', 'p.ts', 'side.ts', 'types.ts']);
  });

  it('hold the texts unchanged, except for characters that no log can store', () => {
    expect(sourcesOf({ 'p.ts': `const ä = '🦋';\r\n` })).toEqual([{ path: 'p.ts', text: `const ä = '🦋';\r\n` }]);
  });

  it('leave out packages, and files that are not code', () => {
    expect(
      pathsOf({
        'p.ts': `import './node_modules/x/index.js'; import './native.node'; import './missing.ts'; import './a%2fb.ts'; import 'fs';`,
        'node_modules/x/index.js': '',
        'native.node': '',
      }),
    ).toEqual(['p.ts']);
  });

  it('are read even if the pipeline itself is in a package', () => {
    expect(pathsOf({ 'node_modules/own/p.ts': `import './q.ts'`, 'node_modules/own/q.ts': '' })).toEqual(['p.ts', 'q.ts']);
  });

  it('that are too long are recorded by their hash, so that a change is noticed', () => {
    const long = `"${'x'.repeat(5 * 1024 * 1024)}"`;
    const [data, file] = sourcesOf({ 'p.ts': `import d from './long.json';`, 'long.json': long });
    expect(data).toEqual({ path: 'long.json', text: `(left out: 5.0 MiB, SHA-256 ${sha256(long)})` });
    expect(file?.text).toBe(`import d from './long.json';`);
  });
});
