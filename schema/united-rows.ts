import type { ManifestStep } from './manifest.ts';

/** What has to be known of a step to say which rows a union may hold. */
export type UnitedStep = Pick<ManifestStep, 'name' | 'operator' | 'upstream' | 'fork'>;

/**
 * Returns whether a step is a union that may hold several rows made of one row of a step above. It may, unless its branches are branches of one route,
 * of which a row takes only one, or no two of them have a step in common.
 */
export function givesRowsTwice({ operator, fork, upstream }: UnitedStep, all: ReadonlyMap<string, UnitedStep>): boolean {
  if (operator !== 'union') return false;
  if (fork === null) return haveStepInCommon(upstream, all);
  const ways = upstream.map((name) => wayFrom(name, fork, all));
  return ways.includes(null) || new Set(ways).size < ways.length;
}

/** The branch of a route that a step is on. */
function wayFrom(name: string, route: string, all: ReadonlyMap<string, UnitedStep>): string | null {
  for (let step = all.get(name); step; step = all.get(step.fork ?? step.upstream[0] ?? ''))
    if (step.operator === 'branch' && step.upstream[0] === route) return step.name;
  return null;
}

function haveStepInCommon(branches: readonly string[], all: ReadonlyMap<string, UnitedStep>): boolean {
  const ofOthers = new Set<string>();
  for (const branch of branches) {
    const ofBranch = new Set([branch]);
    for (const name of ofBranch) {
      if (ofOthers.has(name)) return true;
      for (const above of all.get(name)?.upstream ?? []) ofBranch.add(above);
    }
    for (const name of ofBranch) ofOthers.add(name);
  }
  return false;
}
