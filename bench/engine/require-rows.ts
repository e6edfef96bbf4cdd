import { createDistiset } from '../../src/distiset/index.ts';
import { resolveAsOf, type Store } from '../../src/log/index.ts';

/** Throws unless the only config of a run has the expected number of rows. */
export async function requireRows(store: Store, runId: string, expected: number): Promise<void> {
  const { configs } = await createDistiset(store, runId, { asOf: await resolveAsOf(store.log, runId, { kind: 'head' }) });
  const committed = configs[0]?.rowsCommitted;
  if (committed !== expected) throw new Error(`Run ${runId} has ${committed} rows instead of ${expected}.`);
}
