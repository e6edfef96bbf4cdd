import { beginning, stepNamed } from '../distiset/index.ts';
import { runLogId, type Store } from '../log/index.ts';

/** Returns the step of a run that a user means by the name of a step, or of the config that its dataset shows. */
export async function findStep(store: Store, runId: string, name: string): Promise<string> {
  const [started] = await beginning(store, runLogId(runId));
  return stepNamed(started.data.manifest.steps, name);
}

/** Returns the steps that several names mean, in their order. */
export const findSteps = (store: Store, runId: string, names: readonly string[]): Promise<readonly string[]> =>
  Promise.all(names.map((name) => findStep(store, runId, name)));
