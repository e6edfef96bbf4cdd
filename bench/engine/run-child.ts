// Runs a pipeline in distilog: run-child.ts PIPELINE URL RUN ROWS [OPTION]…, with ROWS input rows. The store is migrated already. An empty URL: in memory.
import { startPipeline } from '../../src/engine/index.ts';
import { memoryStore, type Store } from '../../src/log/index.ts';
import { plan } from '../../src/pipeline/index.ts';
import { openStore } from '../../src/postgres/index.ts';
import { printMeasurement } from '../measured-process.ts';
import { calls, heavyTail, keptOf, trivial } from './pipelines.ts';
import { requireRows } from './require-rows.ts';

const [name = '', url = '', runId = '', rows = '', ...options] = process.argv.slice(2);
const pipelineOf = () => {
  if (name === 'heavy-tail') return heavyTail(Number(rows), options.map(Number));
  return (name === 'calls' ? calls : trivial)(Number(rows));
};
const store: Store = url === '' ? memoryStore() : await openStore({ store: url, folder: '' });
await printMeasurement(async () => {
  const planned = plan(pipelineOf());
  const run = await startPipeline(store, planned, { runId, seed: 1 });
  const { rest } = await run.drive();
  if (rest !== 'succeeded') throw new Error(`The run ended as ${rest}, not succeeded.`);
  return Number(rows);
});
// Only this process can count the rows of a run in memory.
if (url === '') await requireRows(store, runId, keptOf(Number(rows)));
await store.close();
