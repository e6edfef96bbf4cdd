import type { Range, RecordedEvent } from '../../schema/index.ts';
import { own } from '../own.ts';
import type { GraphState, StepState } from './state.ts';

/** Batches of a step that may have rows in a pass: those numbers, and, if `isOpen`, any number at or above what it had before. */
interface Reach {
  readonly batches: readonly number[];
  readonly isOpen: boolean;
}

/**
 * A new pass. Its batches have the numbers of those whose rows are tried again, so that branches still meet batch by batch; re-cut steps number what
 * arrives anew from where they ended. Steps that nothing reaches stay as they are, as do those that failed.
 */
export function reopen(state: GraphState, { data }: RecordedEvent<'RunReopened'>): GraphState {
  const isOver = state.status === 'succeeded' || state.status === 'partial' || state.status === 'failed';
  if (!isOver || data.pass !== state.pass + 1) return state;
  const reaches = new Map<string, Reach>();
  const steps: Record<string, StepState> = Object.fromEntries(Object.entries(state.steps).map(([name, step]) => [name, settledUp(step)]));
  for (const name of state.order) {
    const step = steps[name];
    if (step?.status !== 'finished') continue;
    const again = own(data.again, name) ?? [];
    const reach = reachOf(step, again, reaches);
    if (!reach) continue;
    reaches.set(name, reach);
    const end = step.end ?? 0;
    const over = gaps(reach.batches, end);
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
      again,
      skip: 0,
      lost: step.lost - again.reduce((sum, [, rows]) => sum + rows, 0),
    };
  }
  return { ...state, status: 'running', pass: data.pass, epoch: data.epoch, paused: null, steps };
}

/** A new pass tries again what a step is owed, whoever opened it. */
function settledUp(step: StepState): StepState {
  if (step.owedUntil === undefined) return step;
  const { owedUntil: _settled, ...others } = step;
  return others;
}

/** What a pass may reach of a step, given what it reaches above; null: nothing. */
function reachOf(
  { plan }: StepState,
  again: RecordedEvent<'RunReopened'>['data']['again'][string],
  reaches: ReadonlyMap<string, Reach>,
): Reach | null {
  const above = plan.upstream.flatMap((name) => reaches.get(name) ?? []);
  if (above.length === 0 && again.length === 0) return null;
  const own = again.map(([batch]) => batch);
  if (plan.cut.kind !== 'aligned') return { batches: own, isOpen: above.length > 0 };
  const batches = [...new Set([...own, ...above.flatMap((reach) => reach.batches)])].sort((a, b) => a - b);
  return { batches, isOpen: above.some(({ isOpen }) => isOpen) };
}

/** The numbers below `end` that are not among these (ascending), as half-open ranges. */
function gaps(batches: readonly number[], end: number): readonly Range[] {
  const ranges: Range[] = [];
  let from = 0;
  for (const batch of [...batches.filter((each) => each < end), end]) {
    if (batch > from) ranges.push([from, batch]);
    from = batch + 1;
  }
  return ranges;
}
