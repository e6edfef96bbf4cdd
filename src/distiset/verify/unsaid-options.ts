import { runLogId, type Store } from '../../log/index.ts';
import { readBeginning } from '../beginning.ts';
import { leavesOf, onlyConfig } from '../config-names.ts';
import type { DistisetOptions } from '../create-distiset.ts';
import type { SaidMetadata } from './read-export.ts';

/** The inferred options of an export whose metadata has none. */
export interface InferredOptions {
  readonly options: Pick<DistisetOptions, 'include' | 'steps'>;
  /** The facts that the folder does not state, in words. */
  readonly unproven: readonly string[];
}

/** Infers the options of an export whose metadata has neither options nor definitions, as in 0.1.0. Returns null if it has either. */
export async function inferOptions(store: Store, said: SaidMetadata): Promise<InferredOptions | null> {
  if (said.options !== undefined || said.definitions !== undefined) return null;
  const [started] = await readBeginning(store, runLogId(said.run.id));
  const leaves = leavesOf(started.data.manifest.steps);
  const stepNames = [...said.configs, ...said.leftOut].map(({ step }) => step);
  const hasAll = stepNames.length === leaves.length && leaves.every((leaf) => stepNames.includes(leaf));
  const isNamedAsStep = leaves.length === 1 && said.configs.some(({ name }) => name !== onlyConfig);
  const missing = leaves.filter((leaf) => !stepNames.includes(leaf));
  return {
    options: { include: said.leftOut.length > 0 ? 'finished' : 'committed', steps: hasAll && !isNamedAsStep ? undefined : stepNames },
    unproven: [
      'distilog.json has neither the options of the export nor the definitions of the run, as in exports of 0.1.0',
      ...(missing.length > 0 ? [`the run has more leaves than this folder: ${missing.join(', ')}`] : []),
    ],
  };
}
