import type { Range } from '../../schema/index.ts';
import { isDone, isSettled, stepNamed, type GraphState, type StepState, type Waiting } from './state.ts';

/** A graph with some fields of one step replaced. */
export const withStep = (graph: GraphState, name: string, fields: Partial<StepState>): GraphState => {
  const step = stepNamed(graph, name);
  return step ? { ...graph, steps: { ...graph.steps, [name]: { ...step, ...fields } } } : graph;
};

/**
 * Batch `batch` of a step is over with so many rows: the settled prefix advances, its rows are offered to every consumer, and what is empty falls
 * through steps that are aligned with it, without an event of their own.
 */
export function settle(graph: GraphState, name: string, batch: number, rows: number): GraphState {
  const step = stepNamed(graph, name);
  if (!step || isOver(step, batch)) return graph;
  const { [String(batch)]: _ended, ...open } = step.open;
  const over = inserted(step.over, batch);
  const first = over[0];
  const joins = first !== undefined && first[0] <= step.settled;
  let next = withStep(graph, name, { open, over: joins ? over.slice(1) : over, settled: joins ? first[1] : step.settled });
  for (const consumer of step.plan.consumers) next = offer(next, name, consumer, batch, rows);
  return knownEnds(next, [name, ...step.plan.consumers]);
}

/** Whether a batch of a step is over. */
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
    rows === 0 ? graph : withStep(graph, name, { inboxes: step.inboxes.with(index, insertedRows(step.inboxes[index] ?? [], batch, rows)) });
  if (cut.kind !== 'aligned' || !isArrived(next, step, batch)) return next;
  return hasRows(next.steps[name] as StepState, batch) ? next : settle(next, name, batch, 0);
}

/** Whether an aligned step's batch has all the input that it will ever have: the batches of that number above it are over. */
export const isArrived = (graph: GraphState, { plan }: StepState, batch: number): boolean =>
  plan.upstream.every((each) => {
    const upstream = graph.steps[each];
    return upstream !== undefined && isOver(upstream, batch);
  });

const hasRows = ({ inboxes, again }: StepState, batch: number): boolean =>
  [...inboxes, again].some((waiting) => waiting.some(([other]) => other === batch));

function insertedRows(inbox: readonly Waiting[], batch: number, rows: number): readonly Waiting[] {
  const at = inbox.findLastIndex(([other]) => other < batch) + 1;
  return [...inbox.slice(0, at), [batch, rows], ...inbox.slice(at)];
}

/** How many batches there are becomes known step by step, downstream. */
export function knownEnds(graph: GraphState, names: readonly string[]): GraphState {
  let next = graph;
  for (const name of names) {
    const step = next.steps[name];
    if (!step) continue;
    const { failure } = step;
    const reach = endFromAbove(next, step);
    // A step above it ended even earlier: its own failure is of a batch that does not count.
    const isOwn = failure !== null && (reach === null || failure.batch < reach);
    const end = isOwn ? failure.batch : reach;
    if (end === step.end) continue;
    next = knownEnds(withStep(next, name, { end, failure: isOwn ? failure : null }), step.plan.consumers);
  }
  return next;
}

/** How many batches the steps above leave a step, as far as that is known. */
function endFromAbove(graph: GraphState, step: StepState): number | null {
  const upstreams = step.plan.upstream.flatMap((name) => graph.steps[name] ?? []);
  switch (step.plan.cut.kind) {
    case 'source':
      return step.end;
    case 'aligned': {
      // They are all the same, but for a branch that failed: what it never delivers, nobody waits for.
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
      // Half of its input would give another result: below a step that failed it does not run.
      return step.blocked ? 0 : 1;
  }
}

function inserted(ranges: readonly Range[], batch: number): readonly Range[] {
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
