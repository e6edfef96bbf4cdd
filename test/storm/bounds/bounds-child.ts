// One run in a process of its own, so that its memory is its own: node test/storm/bounds/bounds-child.ts SCENARIO SIZE
// Prints a `Measured`. The store is an embedded one, in a folder that is removed at the end.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createDistiset, writeDistiset } from '../../../src/distiset/index.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { canonicalJson } from '../../../src/kit/json.ts';
import { resolveAsOf } from '../../../src/log/index.ts';
import { plan } from '../../../src/pipeline/index.ts';
import { openStore } from '../../../src/postgres/index.ts';
import { scenarios, type Measured } from './scenarios.ts';

/** The number of events between two measurements of the graph's state. */
const lookEvery = 50;

const [name = '', text] = process.argv.slice(2);
const scenario = scenarios[name];
if (!scenario) throw new Error(`there is no scenario ${name}; there are ${Object.keys(scenarios).join(', ')}`);
const size = Number(text ?? scenario.size);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-bounds-'));
fs.chmodSync(folder, 0o755);
const store = await openStore({ folder, environment: {} });
const seconds: Record<string, number> = {};
const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  const started = performance.now();
  const result = await work();
  seconds[what] = Math.round(performance.now() - started) / 1000;
  return result;
};

let graphBytes = 0;
let events = 0;
const planned = await timed('plan', async () => plan(scenario.of(size)));
const run = await startPipeline(store, planned, {
  seed: 1,
  onRecorded: (recorded) => {
    const looks = Math.floor((events + recorded.length) / lookEvery) - Math.floor(events / lookEvery);
    events += recorded.length;
    if (looks > 0) graphBytes = Math.max(graphBytes, canonicalJson(run.state()).length);
  },
});
const { rest } = await timed('run', () => run.drive());
const { metadata } = await timed('export', async () => {
  const asOf = await resolveAsOf(store.log, run.runId, { kind: 'head' });
  const distiset = await createDistiset(store, run.runId, { asOf });
  return writeDistiset(distiset, { directory: path.join(folder, 'out'), distilog: 'storm', shardBytesMax: scenario.shardBytesMax });
});
await store.close();
fs.rmSync(folder, { recursive: true, force: true });

const measured: Measured = {
  rest,
  rows: metadata.configs.reduce((sum, { rows }) => sum + rows, 0),
  files: metadata.configs.reduce((sum, { files }) => sum + files.length, 0),
  events,
  peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  graphBytes,
  seconds,
};
console.log(JSON.stringify(measured));
