import { runLogId, verify, type Store } from '../src/log/index.ts';

/** Throws where a run that was measured is not what was appended: speed that costs the history is none. */
export async function requireVerified(store: Store, runId: string): Promise<void> {
  const { ok, firstBad } = await verify(store, runLogId(runId));
  if (!ok) throw new Error(`run ${runId} does not verify: ${JSON.stringify(firstBad)}`);
}
