// Attacks every promise for as long as you let it: npm run storm -- [AREA…] [--seeds N] [--kills K] [--signals KILL,STOP,pg-immediate] [--seed S] [--json]
// `npm test` runs a slice of each area.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/kit/fault.ts';
import { useOwnState } from '../own-state.ts';
import { areas } from './areas.ts';
import { blows, type Blow, type Figures } from './area.ts';

useOwnState();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '100' },
    kills: { type: 'string', default: '1000' },
    signals: { type: 'string', default: blows.join(',') },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    json: { type: 'boolean', default: false },
  },
});

const count = (name: 'seeds' | 'kills' | 'seed'): number => {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 0) return number;
  return refuse(`--${name} must be a whole number, and is ${values[name]}`);
};

const signals = values.signals.split(',').map((name) => {
  const known = blows.find((blow) => blow === name);
  return known ?? refuse(`--signals accepts ${blows.join(', ')}, not ${name}`);
});

const wanted = positionals.length > 0 ? positionals : areas.map(({ name }) => name);
const chosen = wanted.map((name) => areas.find((area) => area.name === name) ?? refuse(`there is no area ${name}`));

const storm = {
  seed: count('seed'),
  seeds: count('seeds'),
  kills: count('kills'),
  signals: signals as readonly Blow[],
  say: (line: string) => console.error(line),
};

// Its processes keep their user state here. It is removed at the end.
const state = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-storm-state-'));
process.env['XDG_STATE_HOME'] = state;
process.on('exit', () => fs.rmSync(state, { recursive: true, force: true }));

let failed = 0;
for (const { name, run } of chosen) {
  const started = Date.now();
  let figures: Figures = {};
  let error: unknown;
  console.error(`${name} (seed ${storm.seed})`);
  try {
    figures = await run(storm);
  } catch (thrown) {
    failed++;
    error = thrown;
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  if (values.json) {
    console.log(JSON.stringify({ area: name, seed: storm.seed, seconds, ok: !error, figures, error: error ? messageOf(error) : null }));
  } else {
    console.log(`${error ? 'FAILED' : 'held  '} ${name.padEnd(14)} ${String(seconds).padStart(5)} s   ${textOf(figures)}`);
    if (error) console.log(error);
  }
}
process.exit(failed === 0 ? 0 : 1);

function textOf(figures: Figures): string {
  return Object.entries(figures)
    .map(([what, figure]) => `${what} ${typeof figure === 'number' ? figure.toLocaleString('en-US') : figure}`)
    .join(', ');
}

function refuse(why: string): never {
  console.error(`${why}. The areas are:\n${areas.map(({ name, does }) => `  ${name.padEnd(14)} ${does}`).join('\n')}`);
  process.exit(2);
}
