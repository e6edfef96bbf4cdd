import type { ManifestStep } from '../../schema/index.ts';

/** The members of a step that are needed to find the leaves. */
type LinkedStep = Pick<ManifestStep, 'name' | 'upstream'>;

/** The config of a dataset that has one leaf. */
export const onlyConfig = 'default';

/** Returns the names of the steps that no other step follows, in order. */
export const leavesOf = (steps: readonly LinkedStep[]): readonly string[] =>
  steps.filter(({ name }) => !steps.some(({ upstream }) => upstream.includes(name))).map(({ name }) => name);

/**
 * Returns the step of this name. If there is none, returns the leaf that the dataset shows as a config of this name. Any other name is returned unchanged, so
 * that the caller can refuse it.
 */
export function resolveStepName(steps: readonly LinkedStep[], name: string): string {
  if (name !== onlyConfig || steps.some((step) => step.name === name)) return name;
  const [leaf, ...others] = leavesOf(steps);
  return leaf !== undefined && others.length === 0 ? leaf : name;
}
