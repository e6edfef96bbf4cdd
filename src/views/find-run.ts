import { Fault } from '../kit/fault.ts';
import type { Store } from '../log/index.ts';

/** Ids listed in the message about an ambiguous prefix. */
const shownMax = 5;

/**
 * Returns the id of the run with this id, or of the only run whose id starts with it. Letter case matters only if a run id matches it: distilog
 * creates lower-case ids, and programs may choose others. Returns the newest run if `asked` is undefined.
 * Throws `Fault('unknown-run')` and `Fault('ambiguous-run')`.
 */
export async function findRun(store: Store, asked: string | undefined): Promise<string> {
  if (asked === undefined) return newestRun(store);
  const written = await store.log.runIds(asked, shownMax + 1);
  const prefix = written.length > 0 ? asked : asked.toLowerCase();
  const found = written.length > 0 ? written : await store.log.runIds(prefix, shownMax + 1);
  if (found.includes(prefix)) return prefix;
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    throw new Fault('unknown-run', `No run in this store has the id ${asked}, or an id that begins so. To list the runs: distilog runs`, {
      details: { run: asked },
    });
  }
  const shown = found.slice(0, shownMax).join(', ') + (found.length > shownMax ? ', …' : '');
  throw new Fault('ambiguous-run', `Several run ids start with ${asked}: ${shown}. Write more of the id.`, { details: { run: asked } });
}

async function newestRun(store: Store): Promise<string> {
  for await (const [newest] of store.log.runs({ pageMax: 1 })) if (newest) return newest.runId;
  throw new Fault('unknown-run', 'There is no run in this store yet. Start one: distilog run FILE');
}
