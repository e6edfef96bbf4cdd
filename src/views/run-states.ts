import { projections, nameStates, type RunStates } from '../../projections/index.ts';
import type { RecordedEvent } from '../../schema/index.ts';
import { foldAllAtEach, runLogId, type Store } from '../log/index.ts';

/** Returns the states after one more event. */
export const evolveRun = (states: RunStates, event: RecordedEvent): RunStates =>
  nameStates(projections.map((projection) => projection.evolve(states[projection.name as keyof RunStates], event)));

/** Reads all states of a run as of a position, with one query for the snapshots and one pass over the events after them. */
export async function readStates(store: Pick<Store, 'log' | 'snapshots'>, runId: string, position: number): Promise<RunStates> {
  const [states] = await readStatesAt(store, runId, [position]);
  return states as RunStates;
}

/** Reads all states of a run as of several positions, in the given order. No event is read twice. */
export async function readStatesAt(
  store: Pick<Store, 'log' | 'snapshots'>,
  runId: string,
  positions: readonly number[],
): Promise<readonly RunStates[]> {
  return (await foldAllAtEach<readonly unknown[]>(store, projections, runLogId(runId), positions)).map(nameStates);
}
