// Runs the gate: every check that a change must pass. `npm run check -- NAME…` runs only these.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
process.env.PATH = `${path.resolve('node_modules/.bin')}${path.delimiter}${process.env.PATH}`;

const checks = {
  format: 'biome format .',
  types: 'tsc --noEmit',
  lint: 'oxlint --type-aware --deny-warnings',
  rooms: 'depcruise --config .dependency-cruiser.mjs schema projections src',
  purity: 'node tools/purity.mjs',
  dead: 'knip',
  build: 'node tools/build.mjs',
  package: 'node tools/build.mjs && node tools/package.mjs',
  api: 'node tools/build.mjs && node tools/api-report.ts --check',
  generated: 'node tools/generate.ts --check',
  tests: 'node tools/test.mjs',
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}. The checks are: ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}

let failed = 0;
for (const [name, command] of Object.entries(checks)) {
  if (names.length > 0 ? !names.includes(name) : name === 'tests' && process.env.DISTILOG_CHECK_WITHOUT_TESTS === '1') continue;
  const started = Date.now();
  const isQuiet = name !== 'tests';
  const { status, stdout, stderr } = spawnSync(command, {
    shell: true,
    encoding: 'utf8',
    stdio: isQuiet ? 'pipe' : 'inherit',
    maxBuffer: 64 * 1024 * 1024,
  });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${((Date.now() - started) / 1000).toFixed(1)} s   ${command}`);
  if (status === 0) continue;
  failed++;
  if (isQuiet) console.log(`${stdout}${stderr}`);
}
process.exit(failed === 0 ? 0 : 1);
