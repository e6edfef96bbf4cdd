import { runLogId, verify, type Store } from '../src/log/index.ts';

/** Throws unless the log of a measured run verifies. */
export async function requireVerified(store: Store, runId: string): Promise<void> {
  const { ok, firstBad } = await verify(store, runLogId(runId));
  if (!ok) throw new Error(`Run ${runId} does not verify: ${JSON.stringify(firstBad)}`);
}
