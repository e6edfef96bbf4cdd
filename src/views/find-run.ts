import { Fault } from '../kit/fault.ts';
import type { Store } from '../log/index.ts';

const shownMax = 5;

/**
 * Returns the id of the run that a whole id, or a prefix that fits one run only, means; of the newest run where `asked` is undefined.
 * Throws `Fault('unknown-run')` and `Fault('ambiguous-run')`.
 */
export async function findRun(store: Store, asked: string | undefined): Promise<string> {
  if (asked === undefined) return newestRun(store);
  const prefix = asked.toLowerCase();
  const found = await store.log.runIds(prefix, shownMax + 1);
  if (found.includes(prefix)) return prefix;
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    throw new Fault('unknown-run', `No run in this store is called ${asked}, nor begins so. distilog runs lists them.`, {
      details: { run: asked },
    });
  }
  const shown = found.slice(0, shownMax).join(', ') + (found.length > shownMax ? ', …' : '');
  throw new Fault('ambiguous-run', `Several runs begin with ${asked}: ${shown}. Give more of the id.`, { details: { run: asked } });
}

async function newestRun(store: Store): Promise<string> {
  for await (const [newest] of store.log.runs({ pageMax: 1 })) if (newest) return newest.runId;
  throw new Fault('unknown-run', 'There is no run in this store yet. Start one: distilog run FILE');
}
