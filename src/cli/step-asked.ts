import { beginning, stepNamed } from '../distiset/index.ts';
import { runLogId, type Store } from '../log/index.ts';

/** Returns the step of a run that a user means by the name of a step, or of the config that its dataset shows. */
export async function stepAsked(store: Store, runId: string, name: string): Promise<string> {
  const [started] = await beginning(store, runLogId(runId));
  return stepNamed(started.data.manifest.steps, name);
}

/** Returns the same for several names. */
export const stepsAsked = (store: Store, runId: string, names: readonly string[]): Promise<readonly string[]> =>
  Promise.all(names.map((name) => stepAsked(store, runId, name)));
