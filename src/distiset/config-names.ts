import type { ManifestStep } from '../../schema/index.ts';

/** What has to be known of a step to find the leaves. */
type LinkedStep = Pick<ManifestStep, 'name' | 'upstream'>;

/** The config of a dataset that has one leaf. */
export const onlyConfig = 'default';

/** Returns the names of the steps that no other step follows, in order. */
export const leavesOf = (steps: readonly LinkedStep[]): readonly string[] =>
  steps.filter(({ name }) => !steps.some(({ upstream }) => upstream.includes(name))).map(({ name }) => name);

/**
 * Returns the step that a name means: the step of that name, else the leaf that the dataset shows as a config of that name. Any other name is returned as it
 * is, for the caller to refuse.
 */
export function stepNamed(steps: readonly LinkedStep[], name: string): string {
  if (name !== onlyConfig || steps.some((step) => step.name === name)) return name;
  const [leaf, ...others] = leavesOf(steps);
  return leaf !== undefined && others.length === 0 ? leaf : name;
}
