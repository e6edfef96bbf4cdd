import { runLogId, type Store } from '../../log/index.ts';
import { beginning } from '../beginning.ts';
import { leavesOf, onlyConfig } from '../config-names.ts';
import type { DistisetOptions } from '../create-distiset.ts';
import type { SaidMetadata } from './read-export.ts';

/** What an export that does not say its options can have been. */
export interface UnsaidOptions {
  readonly options: Pick<DistisetOptions, 'include' | 'steps'>;
  /** What the folder leaves open, in words. */
  readonly unproven: readonly string[];
}

/** Infers the options of an export that says neither them nor its definitions, as those of 0.1.0. Returns null for one that says either. */
export async function unsaidOptions(store: Store, said: SaidMetadata): Promise<UnsaidOptions | null> {
  if (said.options !== undefined || said.definitions !== undefined) return null;
  const [started] = await beginning(store, runLogId(said.run.id));
  const leaves = leavesOf(started.data.manifest.steps);
  const wanted = [...said.configs, ...said.leftOut].map(({ step }) => step);
  const hasAll = wanted.length === leaves.length && leaves.every((leaf) => wanted.includes(leaf));
  const isNamedAsStep = leaves.length === 1 && said.configs.some(({ name }) => name !== onlyConfig);
  const missing = leaves.filter((leaf) => !wanted.includes(leaf));
  return {
    options: { include: said.leftOut.length > 0 ? 'finished' : 'committed', steps: hasAll && !isNamedAsStep ? undefined : wanted },
    unproven: [
      'distilog.json does not say with which options it was exported, nor which definitions the run had: exports of 0.1.0 do not',
      ...(missing.length > 0 ? [`the run has more leaves than this folder: ${missing.join(', ')}`] : []),
    ],
  };
}
