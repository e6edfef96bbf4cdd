import { givesRowsTwice } from '../../schema/index.ts';
import type { DraftStep, Location } from './draft-step.ts';
import { refuse } from './refuse.ts';

/** The step at which branches part, and how its rows are cut into the batches that the branches share. */
export interface Fork {
  readonly step: string;
  readonly cut: string;
}

const asTheyCome = 'as they come';

/**
 * Finds the step at which branches part: the nearest common step whose rows they all pass on in the same batches. For a join each branch has a row of it at
 * most once; for a union its rows stay in order. Returns null if the branches have no step in common. Refuses branches with a step in between whose rows cannot be matched,
 * and names that step.
 */
export function findFork(
  what: 'join' | 'union',
  branches: readonly DraftStep[],
  all: ReadonlyMap<string, DraftStep>,
  location: Location,
): Fork | null {
  const paths = branches.map((branch) => findMatchableAncestors(what, branch, all));
  const fork = Array.from(paths[0] ?? []).find(([name, cut]) => paths.every((path) => path.get(name) === cut));
  if (fork) return { step: fork[0], cut: fork[1] };
  const common = findNearestCommon(branches, all);
  if (common === null) return null;
  const [obstacle, reason] = findUnmatchableStep(what, branches, common, all);
  return refuse(
    `step ${obstacle} ${reason}, so its rows can no longer be matched with those of ${common}, where the branches part. Move it above ${common} or below the ${what}.`,
    location,
  );
}

/**
 * Finds the steps above a branch whose rows it passes on, nearest first. For each it returns how their rows are cut on the way: as they come, or a number
 * at a time if the next step cuts new batches.
 */
function findMatchableAncestors(
  what: 'join' | 'union',
  branch: DraftStep,
  all: ReadonlyMap<string, DraftStep>,
): ReadonlyMap<string, string> {
  const found = new Map([[branch.name, asTheyCome]]);
  let step: DraftStep | undefined = branch;
  while (step) {
    const above: string | undefined = step.fork ?? (step.upstream.length === 1 ? step.upstream[0] : undefined);
    if (above === undefined || isRestarting(step) || (what === 'join' && holdsRowsTwice(step, all))) break;
    const cut: string = step.fork === null ? (step.cut.kind === 'recut' ? `${step.cut.rows} at a time` : asTheyCome) : step.forkCut;
    found.set(above, cut);
    if (cut !== asTheyCome) break;
    step = all.get(above);
  }
  return found;
}

/** Returns whether a step is a union that can hold a row of its fork twice, because of its own branches or a union within one of them. */
const holdsRowsTwice = (step: DraftStep, all: ReadonlyMap<string, DraftStep>): boolean =>
  step.operator === 'union' && (givesRowsTwice(step, all) || step.upstream.some((name) => isTwiceBelow(name, step.fork, all)));

function isTwiceBelow(name: string, fork: string | null, all: ReadonlyMap<string, DraftStep>): boolean {
  for (let step = all.get(name); step && step.name !== fork; step = all.get(step.fork ?? step.upstream[0] ?? ''))
    if (holdsRowsTwice(step, all)) return true;
  return false;
}

const isRestarting = ({ operator }: DraftStep): boolean => operator === 'flatMap' || operator === 'batch' || operator === 'global';

/** Returns the last step, in order, that is an ancestor of all these branches or is one of them. */
function findNearestCommon(branches: readonly DraftStep[], all: ReadonlyMap<string, DraftStep>): string | null {
  const above = branches.map((branch) => collectAncestors(branch, all));
  return Array.from(all.keys()).findLast((name) => above.every((names) => names.has(name))) ?? null;
}

function collectAncestors(step: DraftStep, all: ReadonlyMap<string, DraftStep>, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(step.name)) return found;
  found.add(step.name);
  for (const name of step.upstream) {
    const upstream = all.get(name);
    if (upstream) collectAncestors(upstream, all, found);
  }
  return found;
}

/** Finds the step that makes the rows unmatchable, and the reason. */
function findUnmatchableStep(
  what: 'join' | 'union',
  branches: readonly DraftStep[],
  common: string,
  all: ReadonlyMap<string, DraftStep>,
): readonly [step: string, why: string] {
  for (const branch of branches) {
    for (const name of collectAncestors(branch, all)) {
      const step = all.get(name);
      if (!step || name === common || !collectAncestors(step, all).has(common)) continue;
      if (isRestarting(step)) return [name, `makes new rows (${step.operator})`];
      if (step.cut.kind === 'recut') return [name, `cuts new batches, ${step.cut.rows} rows at a time`];
      if (step.operator === 'union' && step.fork === null) return [name, 'appends one branch to another (union)'];
      if (what === 'join' && givesRowsTwice(step, all)) return [name, 'may have a row several times, once from each branch (union)'];
      if (step.fork !== null && step.forkCut !== asTheyCome) return [name, `cuts new batches, ${step.forkCut}`];
    }
  }
  return [branches[0]?.name ?? '', 'takes another path'];
}
