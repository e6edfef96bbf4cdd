// Builds dist/: JavaScript, declarations and SQL. Does nothing if dist/ was built from the same files with the same compiler.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const require = createRequire(import.meta.url);
const inputs = ['src', 'schema', 'projections', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'tools/build.mjs'];
// Written last, so an interrupted build has none.
const stamp = 'dist/.built-from';

const hash = hashOf(inputs);
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
  rmSync('dist', { recursive: true, force: true });
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  cpSync('schema/migrations', 'dist/schema/migrations', { recursive: true });
  cpSync('schema/fingerprint.json', 'dist/schema/fingerprint.json');
  if (existsSync('dist/src/cli/bin.js')) chmodSync('dist/src/cli/bin.js', 0o755);
  writeFileSync(stamp, hash);
}

function hashOf(paths) {
  const digest = createHash('sha256').update(require('typescript').version);
  for (const file of paths.flatMap(filesOf)) digest.update(`\0${file}\0`).update(readFileSync(file));
  return digest.digest('hex');
}

function filesOf(fileOrFolder) {
  if (path.extname(fileOrFolder) !== '') return [fileOrFolder];
  return readdirSync(fileOrFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
