// Builds dist/: TypeScript to JavaScript and declarations, and the SQL beside it.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

process.chdir(new URL('..', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
cpSync('schema/migrations', 'dist/schema/migrations', { recursive: true });
cpSync('schema/fingerprint.json', 'dist/schema/fingerprint.json');
if (existsSync('dist/src/cli/bin.js')) chmodSync('dist/src/cli/bin.js', 0o755);
