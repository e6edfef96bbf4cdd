// One run of ours: run-child.ts PIPELINE URL RUN ROWS, where ROWS is what goes in. The store is migrated already; without a URL it is in memory.
import { createDistiset } from '#distiset';
import { startPipeline } from '#engine';
import { memoryStore, resolveAsOf, type Store } from '#log';
import { plan } from '#pipeline';
import { openStore } from '#postgres';
import { tell } from '../measured-process.ts';
import { calls, keptOf, trivial } from './pipelines.ts';

const [name = '', url = '', runId = '', rows = ''] = process.argv.slice(2);
const store: Store = url === '' ? memoryStore() : await openStore({ store: url, folder: '' });
await tell(async () => {
  const planned = plan((name === 'calls' ? calls : trivial)(Number(rows)));
  const run = await startPipeline(store, planned, { runId, seed: 1 });
  const { rest } = await run.drive();
  if (url === '') await requireRows(run.runId, keptOf(Number(rows)));
  if (rest !== 'succeeded') throw new Error(`the run ${rest}`);
  return Number(rows);
});
await store.close();

/** In memory, nobody looks afterwards. */
async function requireRows(id: string, expected: number): Promise<void> {
  const { configs } = await createDistiset(store, id, { asOf: await resolveAsOf(store.log, id, { kind: 'head' }) });
  if (configs[0]?.rowsCommitted !== expected) throw new Error(`${id} has ${configs[0]?.rowsCommitted} rows, and should have ${expected}`);
}
