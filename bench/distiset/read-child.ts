// Reads all rows of a distilog run and writes nothing: read-child.ts URL RUN.
import { createDistiset } from '../../src/distiset/index.ts';
import { resolveAsOf } from '../../src/log/index.ts';
import { openStore } from '../../src/postgres/index.ts';
import { printMeasurement } from '../measured-process.ts';

const [url = '', runId = ''] = process.argv.slice(2);
const store = await openStore({ store: url, folder: '' });
await printMeasurement(async () => {
  const { configs } = await createDistiset(store, runId, { asOf: await resolveAsOf(store.log, runId, { kind: 'head' }) });
  let count = 0;
  for (const config of configs) for await (const block of config.blocks()) count += block.count;
  return count;
});
await store.close();
