import { systemClock } from '../kit/clock.ts';
import { parseAsOf, resolveAsOf, runLogId, type AsOf, type Store } from '../log/index.ts';

/** The place in a run's log that `--at` means; left out: the head. */
export const asOfOption = (store: Store, runId: string, asked: string | undefined): Promise<AsOf> =>
  resolveAsOf(store.log, runLogId(runId), parseAsOf(asked ?? 'head', systemClock()));
