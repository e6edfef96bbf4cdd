// Compares distilog with the tools that users would use instead: npm run bench -- [--only AREA]… [--rounds N] [--quick] [--json]
// Peers are separate packages: npm ci --prefix bench/peers. A peer that is not installed is left out, and the report says how to install it. See
// docs/BENCHMARKS.md.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { useOwnState } from '../test/own-state.ts';
import { areas } from './areas.ts';
import type { Area } from './area.ts';
import { comparisonTable, type MeasuredArea, type Report } from './report.ts';
import { openBenchServer } from './server.ts';
import { targetsTable } from './targets.ts';

useOwnState();

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
if (!Number.isInteger(rounds) || rounds < 1) refuse(`--rounds must be a whole number of at least 1, not ${values.rounds}`);
const chosen = values.only.length > 0 ? values.only.map((name) => areaOf(name)) : areas;

const loadAverage = () => os.loadavg().map((load) => Math.round(load * 100) / 100);
const server = await openBenchServer();
const machine = {
  node: process.version,
  system: `${os.type()} ${os.release()} ${os.arch()}`,
  cpu: os.cpus()[0]?.model ?? '',
  cores: os.cpus().length,
  memoryGb: Math.round(os.totalmem() / 2 ** 30),
  postgres: await server.settings(),
};
console.error(JSON.stringify(machine, null, 2));

const measured: MeasuredArea[] = [];
try {
  for (const area of chosen) {
    const before = loadAverage();
    const started = performance.now();
    console.error(`\n${area.name}: ${area.description} (load ${before.join(' ')})`);
    const comparisons = await area.run({ server, rounds, isQuick: values.quick, reportProgress: (line) => console.error(line) });
    const seconds = Math.round((performance.now() - started) / 1_000);
    measured.push({ area: area.name, seconds, load: [before, loadAverage()], comparisons });
    if (!values.json) for (const comparison of comparisons) console.log(comparisonTable(comparison));
  }
} finally {
  await server.close();
}
const report: Report = { date: new Date().toISOString().slice(0, 10), isQuick: values.quick, rounds, machine, measured };
if (values.json) console.log(JSON.stringify(report, null, 1));
else if (!values.quick) console.log(targetsTable(report));

function areaOf(name: string): Area {
  return areas.find((area) => area.name === name) ?? refuse(`There is no area ${name}`);
}

function refuse(why: string): never {
  console.error(`${why}. The areas are:\n${areas.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n')}`);
  process.exit(2);
}
