// One run of ours: run-child.ts PIPELINE URL RUN ROWS [OPTION]…, where ROWS is what goes in. The store is migrated already; without a URL it is in memory.
import { startPipeline } from '../../src/engine/index.ts';
import { memoryStore, type Store } from '../../src/log/index.ts';
import { plan } from '../../src/pipeline/index.ts';
import { openStore } from '../../src/postgres/index.ts';
import { tell } from '../measured-process.ts';
import { calls, heavyTail, keptOf, trivial } from './pipelines.ts';
import { requireRows } from './require-rows.ts';

const [name = '', url = '', runId = '', rows = '', ...options] = process.argv.slice(2);
const pipelineOf = () => {
  if (name === 'heavy-tail') return heavyTail(Number(rows), options.map(Number));
  return (name === 'calls' ? calls : trivial)(Number(rows));
};
const store: Store = url === '' ? memoryStore() : await openStore({ store: url, folder: '' });
await tell(async () => {
  const planned = plan(pipelineOf());
  const run = await startPipeline(store, planned, { runId, seed: 1 });
  const { rest } = await run.drive();
  if (rest !== 'succeeded') throw new Error(`the run ${rest}`);
  return Number(rows);
});
// Of a run in memory nobody else can count the rows.
if (url === '') await requireRows(store, runId, keptOf(Number(rows)));
await store.close();
