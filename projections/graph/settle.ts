import type { Range } from '../../schema/index.ts';
import { isDone, isSettled, getStep, type GraphState, type StepState, type Waiting } from './state.ts';

/** Returns a graph with some fields of one step replaced. */
export const withStep = (graph: GraphState, name: string, fields: Partial<StepState>): GraphState => {
  const step = getStep(graph, name);
  return step ? { ...graph, steps: { ...graph.steps, [name]: { ...step, ...fields } } } : graph;
};

/**
 * Ends a batch of a step with a number of output rows. Advances the settled prefix and offers the rows to every consumer. A batch without rows also ends
 * in the steps that are aligned with this one. They record no event for it.
 */
export function settle(graph: GraphState, name: string, batch: number, rows: number): GraphState {
  const step = getStep(graph, name);
  if (!step || isOver(step, batch)) return graph;
  const { [String(batch)]: _ended, ...open } = step.open;
  const over = insertBatch(step.over, batch);
  const first = over[0];
  const isNextBatch = first !== undefined && first[0] <= step.settled;
  let next = withStep(graph, name, { open, over: isNextBatch ? over.slice(1) : over, settled: isNextBatch ? first[1] : step.settled });
  for (const consumer of step.plan.consumers) next = offer(next, name, consumer, batch, rows);
  return propagateEnds(next, [name, ...step.plan.consumers]);
}

/** Returns whether a batch of a step is over. */
export const isOver = (step: StepState, batch: number): boolean =>
  batch < step.settled || step.over.some(([from, to]) => from <= batch && batch < to);

function offer(graph: GraphState, upstream: string, name: string, batch: number, rows: number): GraphState {
  const step = graph.steps[name];
  if (!step || isDone(step)) return graph;
  const { cut } = step.plan;
  if (cut.kind === 'whole')
    return rows === 0 ? graph : withStep(graph, name, { inboxes: [[[0, (step.inboxes[0]?.[0]?.[1] ?? 0) + rows]]] });
  if (cut.kind === 'aligned' && isOver(step, batch)) return graph;
  const index = step.plan.upstream.indexOf(upstream);
  const next =
    rows === 0
      ? graph
      : withStep(graph, name, { inboxes: step.inboxes.with(index, insertWaiting(step.inboxes[index] ?? [], batch, rows)) });
  if (cut.kind !== 'aligned' || !isArrived(next, step, batch)) return next;
  return hasRows(next.steps[name] as StepState, batch) ? next : settle(next, name, batch, 0);
}

/** Returns whether a batch of an aligned step has all its input: the batches of that number in all upstream steps are over. */
export const isArrived = (graph: GraphState, { plan }: StepState, batch: number): boolean =>
  plan.upstream.every((each) => {
    const upstream = graph.steps[each];
    return upstream !== undefined && isOver(upstream, batch);
  });

const hasRows = ({ inboxes, again }: StepState, batch: number): boolean =>
  [...inboxes, again].some((waiting) => waiting.some(([other]) => other === batch));

function insertWaiting(inbox: readonly Waiting[], batch: number, rows: number): readonly Waiting[] {
  const at = inbox.findLastIndex(([other]) => other < batch) + 1;
  return [...inbox.slice(0, at), [batch, rows], ...inbox.slice(at)];
}

/** Updates the number of batches of these steps, and then of the steps below them. */
export function propagateEnds(graph: GraphState, names: readonly string[]): GraphState {
  let next = graph;
  for (const name of names) {
    const step = next.steps[name];
    if (!step) continue;
    const { failure } = step;
    const aboveEnd = deriveEnd(next, step);
    // If a step above ended earlier, this step's failed batch lies beyond its end and does not count.
    const isOwn = failure !== null && (aboveEnd === null || failure.batch < aboveEnd);
    const end = isOwn ? failure.batch : aboveEnd;
    if (end === step.end) continue;
    next = propagateEnds(withStep(next, name, { end, failure: isOwn ? failure : null }), step.plan.consumers);
  }
  return next;
}

/** Returns the number of batches that a step gets from the steps above it, or null if that is not known yet. */
function deriveEnd(graph: GraphState, step: StepState): number | null {
  const upstreams = step.plan.upstream.flatMap((name) => graph.steps[name] ?? []);
  switch (step.plan.cut.kind) {
    case 'source':
      return step.end;
    case 'aligned': {
      // All branches end at the same batch, except one that failed. The join does not wait for batches that it never delivers.
      const ends = upstreams.flatMap(({ end }) => end ?? []);
      return ends.length === 0 ? null : Math.min(...ends);
    }
    case 'recut': {
      const isEmpty = upstreams.every(
        (upstream, index) => isSettled(upstream) && (step.inboxes[index] ?? []).every(([batch]) => batch >= (upstream.end ?? 0)),
      );
      return isEmpty ? step.next : step.end;
    }
    case 'whole':
      // With part of its input the step would give another result, so it does not run below a step that failed.
      return step.blocked ? 0 : 1;
  }
}

function insertBatch(ranges: readonly Range[], batch: number): readonly Range[] {
  const merged: Range[] = [];
  let current: Range = [batch, batch + 1];
  for (const range of ranges) {
    if (range[1] < current[0]) merged.push(range);
    else if (range[0] > current[1]) {
      merged.push(current);
      current = range;
    } else current = [Math.min(range[0], current[0]), Math.max(range[1], current[1])];
  }
  return [...merged, current];
}
