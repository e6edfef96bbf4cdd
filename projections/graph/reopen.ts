import type { Range, RecordedEvent } from '../../schema/index.ts';
import { getOwn } from '../own.ts';
import type { GraphState, StepState } from './state.ts';

/** The batches of a step that may have rows in a pass: `batches`, and if `isOpen`, new batches above the step's last one. */
interface Reach {
  readonly batches: readonly number[];
  readonly isOpen: boolean;
}

/**
 * Starts a new pass. A batch keeps its number when its rows are tried again, so that branches are still joined batch by batch. Re-cut steps continue their
 * numbers with newly arriving rows. Steps that get no rows in this pass, and steps that failed, do not change.
 */
export function reopen(state: GraphState, { data }: RecordedEvent<'RunReopened'>): GraphState {
  const isOver = state.status === 'succeeded' || state.status === 'partial' || state.status === 'failed';
  if (!isOver || data.pass !== state.pass + 1) return state;
  const reaches = new Map<string, Reach>();
  const steps: Record<string, StepState> = Object.fromEntries(Object.entries(state.steps).map(([name, step]) => [name, clearOwed(step)]));
  for (const name of state.order) {
    const step = steps[name];
    if (step?.status !== 'finished') continue;
    const retried = getOwn(data.again, name) ?? [];
    const reach = computeReach(step, retried, reaches);
    if (!reach) continue;
    reaches.set(name, reach);
    const end = step.end ?? 0;
    const over = findGaps(reach.batches, end);
    const first = over[0]?.[0] === 0 ? over[0] : undefined;
    steps[name] = {
      ...step,
      status: 'running',
      next: end,
      end: reach.isOpen ? null : end,
      settled: first?.[1] ?? 0,
      over: first ? over.slice(1) : over,
      open: {},
      inboxes: step.plan.upstream.map(() => []),
      again: retried,
      skip: 0,
      lost: step.lost - retried.reduce((sum, [, rows]) => sum + rows, 0),
    };
  }
  return { ...state, status: 'running', pass: data.pass, epoch: data.epoch, paused: null, steps };
}

/** Removes a step's `owedUntil`: every new pass tries those rows again, for whatever reason it starts. */
function clearOwed(step: StepState): StepState {
  if (step.owedUntil === undefined) return step;
  const { owedUntil: _settled, ...others } = step;
  return others;
}

/** Returns the batches of a step that may have rows in a pass, given those of the steps above it, or null if there are none. */
function computeReach(
  { plan }: StepState,
  retried: RecordedEvent<'RunReopened'>['data']['again'][string],
  reaches: ReadonlyMap<string, Reach>,
): Reach | null {
  const above = plan.upstream.flatMap((name) => reaches.get(name) ?? []);
  if (above.length === 0 && retried.length === 0) return null;
  const ownBatches = retried.map(([batch]) => batch);
  if (plan.cut.kind !== 'aligned') return { batches: ownBatches, isOpen: above.length > 0 };
  const batches = [...new Set([...ownBatches, ...above.flatMap((reach) => reach.batches)])].sort((a, b) => a - b);
  return { batches, isOpen: above.some(({ isOpen }) => isOpen) };
}

/** Returns the numbers below `end` that are not in `batches`, as half-open ranges. `batches` is ascending. */
function findGaps(batches: readonly number[], end: number): readonly Range[] {
  const ranges: Range[] = [];
  let from = 0;
  for (const batch of [...batches.filter((each) => each < end), end]) {
    if (batch > from) ranges.push([from, batch]);
    from = batch + 1;
  }
  return ranges;
}
