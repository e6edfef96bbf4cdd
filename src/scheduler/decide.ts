import { isArrived, isDone, isSettled, type GraphState, type StepState, type Waiting } from '../../projections/index.ts';
import type { Outcome, Place, Span } from '../../schema/index.ts';
import type { Instant } from '../kit/instant.ts';
import { startNextAttempt, type Command, type StartBatch } from './commands.ts';
import { isAnythingRunning, isMoot, openBatches, stepOf } from './open-batches.ts';
import { roomOf, unknownLoad, type Load, type Room } from './room.ts';
import { suspectsOf } from './suspects.ts';

/** The commands that a state calls for. */
export interface Decision {
  readonly commands: readonly Command[];
  /** When to decide again if nothing happens before, in microseconds of the database's clock. Null: only an event or free lanes change the decision. */
  readonly wakeAt: Instant | null;
  /** Steps whose batches are ready and wait for free lanes. */
  readonly waitingForLanes: ReadonlySet<string>;
}

/**
 * Returns the commands that a state of the graph projection calls for. Pure: the same state, time and load give the same commands, in the same order. `now`
 * is the database's clock, in microseconds. `load` is the worker's knowledge of running batches. Load and bounds change when a batch starts, never how it
 * is cut.
 */
export function decide(graph: GraphState, now: Instant, load: Load = unknownLoad): Decision {
  const decision = (commands: readonly Command[]): Decision => ({ commands, wakeAt: null, waitingForLanes: noSteps });
  if (graph.status !== 'running') return decision([]);
  const ends = graph.order.flatMap((name) => endCommands(graph, name));
  if (ends.length > 0) return decision(ends);

  const suspects = suspectsOf(graph);
  if (suspects) return decision(suspects);

  const boundedDecision = decideStarts(graph, now, load, true);
  if (boundedDecision.commands.length > 0 || boundedDecision.wakeAt !== null || isAnythingRunning(graph)) return boundedDecision;
  // A bound only delays batches. Cuts do not depend on it, so lifting it changes nothing but the order of work.
  const unboundedDecision = decideStarts(graph, now, load, false);
  if (unboundedDecision.commands.length > 0) return unboundedDecision;
  return decision(graph.order.every((name) => isDone(stepOf(graph, name))) ? [finishCommand(graph)] : []);
}

const noSteps: ReadonlySet<string> = new Set();

/**
 * Maximum number of batches on an edge: those that wait for its consumer, and those in progress above it. The producer's lanes count, too, because a
 * consumer with few lanes must not keep them empty. A source has no lanes: it reads one batch after the other.
 */
const waitingMax = (producer: StepState, consumer: StepState): number => 4 + 2 * (lanesOf(producer) + consumer.plan.concurrency);

const lanesOf = ({ plan }: StepState): number => (plan.cut.kind === 'source' ? 0 : plan.concurrency);

function endCommands(graph: GraphState, name: string): readonly Command[] {
  const step = stepOf(graph, name);
  if ((step.status !== 'waiting' && step.status !== 'running') || !isSettled(step)) return [];
  if (step.failure) return [{ type: 'FailStep', step: name, code: step.failure.code, message: step.failure.message }];
  return step.blocked ? [] : [{ type: 'FinishStep', step: name }];
}

function decideStarts(graph: GraphState, now: Instant, load: Load, isBounded: boolean): Decision {
  const commands: Command[] = [];
  const waitingForLanes = new Set<string>();
  let wakeAt: Instant | null = null;
  for (const name of graph.order) {
    const step = stepOf(graph, name);
    if (step.status === 'finished' || step.status === 'failed') continue;
    const batches = openBatches(step);
    const room = roomOf(name, step, batches, load);
    for (const [batch, open] of batches) {
      if (open.state !== 'waiting') continue;
      if (open.notBefore > now) wakeAt = Math.min(wakeAt ?? Number.POSITIVE_INFINITY, open.notBefore);
      else if (room.take(open.rows)) commands.push(startNextAttempt(step, name, batch, open, false));
    }
    const cuts = cutBatches(graph, name, step, room, isBounded);
    if (cuts.length > 0 && step.status === 'waiting') commands.push({ type: 'StartStep', step: name });
    commands.push(...cuts);
    if (room.isShort) waitingForLanes.add(name);
  }
  return { commands, wakeAt, waitingForLanes };
}

/** Returns the first attempts at batches that can be cut now. */
function cutBatches(graph: GraphState, name: string, step: StepState, room: Room, isBounded: boolean): readonly StartBatch[] {
  let ahead = Object.keys(step.open).length;
  const isFull = () => isBounded && step.plan.consumers.some((consumer) => isCrowded(stepOf(graph, consumer), name, step, ahead));
  const startFirst = (batch: number, inputs: readonly Span[], rows: number, retriesRows = false): StartBatch => {
    ahead++;
    return {
      type: 'StartBatch',
      step: name,
      batch,
      attempt: 1,
      failures: 0,
      inputs,
      retriesRows,
      rows,
      offset: step.offset,
      alone: false,
    };
  };
  const batches: StartBatch[] = [];
  switch (step.plan.cut.kind) {
    case 'source':
      // One after the other, because a batch begins where the batch before it ended.
      if (step.end === null && step.next === step.settled && !isFull()) batches.push(startFirst(step.next, [], 0));
      return batches;
    case 'aligned':
      for (const { batch, inputs, rows, retriesRows } of alignedBatches(graph, step)) {
        if (isMoot(step, batch) || isFull() || !room.take(rows)) break;
        batches.push(startFirst(batch, inputs, rows, retriesRows));
      }
      return batches;
    case 'recut': {
      for (const [batch, rows] of step.again) {
        if (isFull() || !room.take(rows)) return batches;
        batches.push(startFirst(batch, [], rows, true));
      }
      const slices = recutSlices(graph, step, step.plan.cut.rows);
      for (let batch = step.next; !isFull(); batch++) {
        const slice = slices.next();
        if (slice.done || !room.take(slice.value.rows)) break;
        batches.push(startFirst(batch, slice.value.inputs, slice.value.rows));
      }
      return batches;
    }
    case 'whole': {
      const upstream = step.plan.upstream[0] ?? '';
      const above = stepOf(graph, upstream);
      const rows = step.inboxes[0]?.[0]?.[1] ?? 0;
      if (step.next === 0 && step.end !== 0 && isSettled(above) && room.take(rows)) {
        batches.push(startFirst(0, [{ step: upstream, pass: graph.pass, from: [0, 0], to: [above.end ?? 0, 0] }], rows));
      }
      return batches;
    }
  }
}

/** Returns whether enough rows of one upstream step wait before a step, with `ahead` batches in progress above it. */
function isCrowded(step: StepState, upstream: string, producer: StepState, ahead: number): boolean {
  if (isDone(step) || step.plan.cut.kind === 'whole') return false;
  const inbox = step.inboxes[step.plan.upstream.indexOf(upstream)] ?? [];
  if (inbox.length + ahead < waitingMax(producer, step)) return false;
  return step.plan.cut.kind !== 'recut' || inbox.reduce((sum, [, rows]) => sum + rows, 0) >= 2 * step.plan.cut.rows;
}

interface AlignedBatch {
  readonly batch: number;
  readonly inputs: readonly Span[];
  readonly rows: number;
  readonly retriesRows: boolean;
}

/** Returns the batches of an aligned step whose input is complete, ascending. */
function* alignedBatches(graph: GraphState, step: StepState): Generator<AlignedBatch> {
  const { upstream, operator } = step.plan;
  const isSimple = upstream.length === 1 && step.again.length === 0;
  const waiting = isSimple
    ? (step.inboxes[0] ?? [])
    : [...new Map([...step.inboxes.flat(), ...step.again].map((entry) => [entry[0], entry] as const)).values()].sort(([a], [b]) => a - b);
  for (const [batch] of waiting) {
    if (!isSimple && !isArrived(graph, step, batch)) continue;
    const rows = upstream.map((_, index) => rowsIn(step.inboxes[index] ?? [], batch));
    const retried = rowsIn(step.again, batch);
    const inputs = upstream.flatMap((name, index): readonly Span[] => {
      // A join also reads what other branches delivered in earlier passes.
      const earlierSpans =
        operator === 'join' ? Array.from({ length: graph.pass - 1 }, (_, past) => wholeBatch(name, past + 1, batch)) : [];
      const arrived = rows[index] ?? 0;
      return arrived === 0 ? earlierSpans : [...earlierSpans, { step: name, pass: graph.pass, from: [batch, 0], to: [batch, arrived] }];
    });
    const all = operator === 'join' ? Math.max(...rows) : rows.reduce((sum, count) => sum + count, 0);
    yield { batch, inputs, rows: all + retried, retriesRows: retried > 0 };
  }
}

const rowsIn = (waiting: readonly Waiting[], batch: number): number => waiting.find(([other]) => other === batch)?.[1] ?? 0;

const wholeBatch = (step: string, pass: number, batch: number): Span => ({ step, pass, from: [batch, 0], to: [batch + 1, 0] });

/** Cuts the settled rows in order into slices of `size`, one upstream step after the other. Only the very last slice may be smaller. */
function* recutSlices(
  graph: GraphState,
  step: StepState,
  size: number,
): Generator<{ readonly inputs: readonly Span[]; readonly rows: number }> {
  const { entries, isAll } = arrivals(graph, step);
  let left = entries.reduce((sum, { rows }) => sum + rows, 0) - (entries.length > 0 ? step.skip : 0);
  let index = 0;
  let row = step.skip;
  while (left >= size || (left > 0 && isAll)) {
    let need = Math.min(size, left);
    left -= need;
    const rows = need;
    const inputs: Span[] = [];
    while (need > 0) {
      const entry = entries[index] as Arrival;
      const count = Math.min(entry.rows - row, need);
      const from: Place = [entry.batch, row];
      need -= count;
      row += count;
      const lastSpan = inputs.at(-1);
      const to: Place = [entry.batch, row];
      if (lastSpan?.step === entry.step) inputs[inputs.length - 1] = { ...lastSpan, to };
      else inputs.push({ step: entry.step, pass: graph.pass, from, to });
      if (row === entry.rows) {
        index++;
        row = 0;
      }
    }
    yield { inputs, rows };
  }
}

interface Arrival {
  readonly step: string;
  readonly batch: number;
  readonly rows: number;
}

/** Returns the rows that have arrived for a re-cut step and that no later row can precede. `isAll`: nothing will follow them. */
function arrivals(graph: GraphState, step: StepState): { readonly entries: readonly Arrival[]; readonly isAll: boolean } {
  const entries: Arrival[] = [];
  for (const [index, name] of step.plan.upstream.entries()) {
    const upstream = stepOf(graph, name);
    const settled = Math.min(upstream.settled, upstream.end ?? upstream.settled);
    for (const [batch, rows] of step.inboxes[index] ?? []) if (batch < settled) entries.push({ step: name, batch, rows });
    if (!isSettled(upstream)) return { entries, isAll: false };
  }
  return { entries, isAll: true };
}

function finishCommand(graph: GraphState): Command {
  const outcome = outcomeOf(graph);
  const isOwed = (name: string): boolean => {
    const { owedUntil, status } = stepOf(graph, name);
    return owedUntil !== undefined && status === 'finished';
  };
  // If no leaf finished, no retried row would arrive anywhere.
  const reopens = outcome === 'failed' ? [] : graph.order.filter(isOwed);
  return { type: 'FinishRun', outcome, ...(reopens.length > 0 ? { reopens } : {}) };
}

function outcomeOf(graph: GraphState): Outcome {
  const steps = Object.values(graph.steps);
  const leaves = steps.filter(({ plan }) => plan.consumers.length === 0);
  if (leaves.every(({ status }) => status !== 'finished')) return 'failed';
  return steps.some(({ status, lost }) => status !== 'finished' || lost > 0) ? 'partial' : 'succeeded';
}
