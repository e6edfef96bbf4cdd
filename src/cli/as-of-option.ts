import { systemClock } from '../kit/clock.ts';
import { parseAsOf, resolveAsOf, runLogId, type AsOf, type Store } from '../log/index.ts';

/** Resolves the value of an AS-OF option to a place in a run's log; without a value, to the head. */
export const resolveAsOfOption = (store: Store, runId: string, asked: string | undefined): Promise<AsOf> =>
  resolveAsOf(store.log, runLogId(runId), parseAsOf(asked ?? 'head', systemClock()));
