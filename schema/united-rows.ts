import type { ManifestStep } from './manifest.ts';

/** The members of a step that decide which rows a union may hold. */
export type UnitedStep = Pick<ManifestStep, 'name' | 'operator' | 'upstream' | 'fork'>;

/**
 * Returns whether a step is a union that may hold several rows made from one row of a step above. It cannot if its branches are branches of one route,
 * because a row takes only one of them. Nor can it if no two branches have a step in common.
 */
export function givesRowsTwice({ operator, fork, upstream }: UnitedStep, all: ReadonlyMap<string, UnitedStep>): boolean {
  if (operator !== 'union') return false;
  if (fork === null) return shareStep(upstream, all);
  const ways = upstream.map((name) => findBranch(name, fork, all));
  return ways.includes(null) || new Set(ways).size < ways.length;
}

/** Returns the branch of a route that leads to a step, or null. */
function findBranch(name: string, route: string, all: ReadonlyMap<string, UnitedStep>): string | null {
  for (let step = all.get(name); step; step = all.get(step.fork ?? step.upstream[0] ?? ''))
    if (step.operator === 'branch' && step.upstream[0] === route) return step.name;
  return null;
}

function shareStep(branches: readonly string[], all: ReadonlyMap<string, UnitedStep>): boolean {
  const stepsOfOthers = new Set<string>();
  for (const branch of branches) {
    const stepsOfBranch = new Set([branch]);
    for (const name of stepsOfBranch) {
      if (stepsOfOthers.has(name)) return true;
      for (const above of all.get(name)?.upstream ?? []) stepsOfBranch.add(above);
    }
    for (const name of stepsOfBranch) stepsOfOthers.add(name);
  }
  return false;
}
