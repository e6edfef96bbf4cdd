// Exports a distilog run: export-child.ts URL RUN DIRECTORY.
import { createDistiset, writeDistiset } from '../../src/distiset/index.ts';
import { resolveAsOf } from '../../src/log/index.ts';
import { openStore } from '../../src/postgres/index.ts';
import { createGarbageCollector } from '../../src/cli/frugal-heap.ts';
import { printMeasurement } from '../measured-process.ts';

const [url = '', runId = '', directory = ''] = process.argv.slice(2);
const store = await openStore({ store: url, folder: '' });
await printMeasurement(async () => {
  const asOf = await resolveAsOf(store.log, runId, { kind: 'head' });
  const { metadata } = await writeDistiset(await createDistiset(store, runId, { asOf }), {
    directory,
    onWritten: createGarbageCollector(),
    distilog: 'bench',
  });
  return metadata.configs.reduce((sum, { rows }) => sum + rows, 0);
});
await store.close();
