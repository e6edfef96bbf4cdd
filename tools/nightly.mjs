// Runs everything that is too slow for `npm test`: npm run nightly -- [NAME…]. A part that fails does not stop the others.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
process.env.PATH = `${path.resolve('node_modules/.bin')}${path.delimiter}${process.env.PATH}`;

const seed = process.env.DISTILOG_STORM_SEED ?? String(Date.now() % 100_000);
const python = 'bench/peers/python';
const isPythonInstalled = () => existsSync(`${python}/.venv/bin/python`);

/** Commands by name. `env` is added to the environment. */
const parts = {
  install: { command: 'npm ci --no-audit --no-fund --prefix test/storm/order/control && npm ci --no-audit --no-fund --prefix bench/peers' },
  // Installs Python peers, and readers of exported datasets.
  python: { command: `python3 -m venv ${python}/.venv && ${python}/.venv/bin/pip install --quiet -r ${python}/requirements.txt` },
  tests: {
    command: 'node tools/test.mjs',
    env: {
      DISTILOG_NIGHTLY: '1',
      DISTILOG_STORM_SEED: seed,
      DISTILOG_CRASH_SEED: seed,
      DISTILOG_ATTACK_SEED: seed,
      DISTILOG_SEED: seed,
      DISTILOG_SEEDS: '200',
    },
  },
  storm: { command: `npm run --silent storm -- --seed ${seed}` },
  mutants: { command: 'npm run --silent mutants' },
  bench: { command: 'npm run --silent bench' },
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. The parts are: ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}

const results = [];
for (const [name, { command, env = {} }] of Object.entries(parts)) {
  if (names.length > 0 && !names.includes(name)) continue;
  if (isPythonInstalled()) env.PATH = `${path.resolve(python, '.venv/bin')}${path.delimiter}${process.env.PATH}`;
  console.log(`\n${name} (seed ${seed}): ${command}`);
  const started = Date.now();
  const { status } = spawnSync(command, { shell: true, stdio: 'inherit', env: { ...process.env, ...env } });
  results.push({ name, isFine: status === 0, minutes: (Date.now() - started) / 60_000 });
}
console.log(`\nseed ${seed}`);
for (const { name, isFine, minutes } of results) console.log(`${isFine ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${minutes.toFixed(1)} min`);
process.exit(results.every(({ isFine }) => isFine) ? 0 : 1);
