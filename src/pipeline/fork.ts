import { givesRowsTwice } from '../../schema/index.ts';
import type { DraftStep, Where } from './draft-step.ts';
import { refuse } from './refuse.ts';

/** Where branches part, and how the rows of that step are cut into the batches that they have in common. */
export interface Fork {
  readonly step: string;
  readonly cut: string;
}

const asTheyCome = 'as they come';

/**
 * The step at which branches part: the nearest one above all of them whose rows theirs are, at most one for one (for a union: in its order), in the same
 * batches. Null: they have no step in common. Refused, naming the step, where something between gives rows that cannot be matched.
 */
export function forkOf(
  what: 'join' | 'union',
  branches: readonly DraftStep[],
  all: ReadonlyMap<string, DraftStep>,
  where: Where,
): Fork | null {
  const ways = branches.map((branch) => matchable(what, branch, all));
  const fork = Array.from(ways[0] ?? []).find(([name, cut]) => ways.every((way) => way.get(name) === cut));
  if (fork) return { step: fork[0], cut: fork[1] };
  const common = nearestCommon(branches, all);
  if (common === null) return null;
  const [culprit, why] = firstUnmatchable(what, branches, common, all);
  return refuse(
    `step ${culprit} ${why}, so its rows are not those of ${common} any more, where the branches part, and cannot be put beside them. Move it above ${common} or below the ${what}.`,
    where,
  );
}

/**
 * The steps above one whose rows its own are, nearest first, and how their rows are cut on the way: as they come, or so many at a time where the first
 * step behind it cuts anew.
 */
function matchable(what: 'join' | 'union', branch: DraftStep, all: ReadonlyMap<string, DraftStep>): ReadonlyMap<string, string> {
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

/** Whether a step is a union that may hold a row of its fork twice: as it puts branches together, or because a union within one of them does. */
const holdsRowsTwice = (step: DraftStep, all: ReadonlyMap<string, DraftStep>): boolean =>
  step.operator === 'union' && (givesRowsTwice(step, all) || step.upstream.some((name) => isTwiceBelow(name, step.fork, all)));

function isTwiceBelow(name: string, fork: string | null, all: ReadonlyMap<string, DraftStep>): boolean {
  for (let step = all.get(name); step && step.name !== fork; step = all.get(step.fork ?? step.upstream[0] ?? ''))
    if (holdsRowsTwice(step, all)) return true;
  return false;
}

const isRestarting = ({ operator }: DraftStep): boolean => operator === 'flatMap' || operator === 'batch' || operator === 'global';

/** The last step, in order, that is above all of these or one of them. */
function nearestCommon(branches: readonly DraftStep[], all: ReadonlyMap<string, DraftStep>): string | null {
  const above = branches.map((branch) => ancestors(branch, all));
  return Array.from(all.keys()).findLast((name) => above.every((each) => each.has(name))) ?? null;
}

function ancestors(step: DraftStep, all: ReadonlyMap<string, DraftStep>, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(step.name)) return found;
  found.add(step.name);
  for (const name of step.upstream) {
    const upstream = all.get(name);
    if (upstream) ancestors(upstream, all, found);
  }
  return found;
}

/** The step to blame, and what it does. */
function firstUnmatchable(
  what: 'join' | 'union',
  branches: readonly DraftStep[],
  common: string,
  all: ReadonlyMap<string, DraftStep>,
): readonly [step: string, why: string] {
  for (const branch of branches) {
    for (const name of ancestors(branch, all)) {
      const step = all.get(name);
      if (!step || name === common || !ancestors(step, all).has(common)) continue;
      if (isRestarting(step)) return [name, `makes rows of its own (${step.operator})`];
      if (step.cut.kind === 'recut') return [name, `cuts them anew, ${step.cut.rows} at a time`];
      if (step.operator === 'union' && step.fork === null) return [name, 'puts branches one after the other (union)'];
      if (what === 'join' && givesRowsTwice(step, all)) return [name, 'may have a row several times, once from each branch (union)'];
      if (step.fork !== null && step.forkCut !== asTheyCome) return [name, `cuts them anew, ${step.forkCut}`];
    }
  }
  return [branches[0]?.name ?? '', 'comes another way'];
}
