import { readBeginning, resolveStepName } from '../distiset/index.ts';
import { runLogId, type Store } from '../log/index.ts';

/** Returns the step of a run with this name, or the step behind the config with this name. */
export async function findStep(store: Store, runId: string, name: string): Promise<string> {
  const [started] = await readBeginning(store, runLogId(runId));
  return resolveStepName(started.data.manifest.steps, name);
}

/** Returns the steps for several names, in their order. */
export const findSteps = (store: Store, runId: string, names: readonly string[]): Promise<readonly string[]> =>
  Promise.all(names.map((name) => findStep(store, runId, name)));
