import { isArrived, isDone, isSettled, lossesMax, type GraphState, type OpenBatch, type StepState, type Waiting } from '#projections';
import type { Outcome, Place, Span } from '#schema';
import type { Instant } from '#kit/instant';

/** What should happen next. Commands become events; none is given twice once its event is folded. */
export type Command =
  | { readonly type: 'StartStep'; readonly step: string }
  | StartBatch
  | { readonly type: 'FinishStep'; readonly step: string }
  | { readonly type: 'FailStep'; readonly step: string; readonly code: string; readonly message: string }
  | { readonly type: 'PauseRun'; readonly reason: 'poison'; readonly step: string; readonly batch: number; readonly losses: number }
  | { readonly type: 'FinishRun'; readonly outcome: Outcome };

export interface StartBatch {
  readonly type: 'StartBatch';
  readonly step: string;
  readonly batch: number;
  readonly attempt: number;
  /** Attempts that failed before and count. */
  readonly failures: number;
  readonly inputs: readonly Span[];
  /** Whether rows that an earlier pass rejected belong to its input, beside `inputs`. */
  readonly again: boolean;
  /** Input rows, as far as known; 0 for a source. */
  readonly rows: number;
  /** A source's next item. */
  readonly offset: number;
  readonly alone: boolean;
}

/**
 * The other half of the graph projection: which commands its state calls for. Pure: the same state and time give the same commands, in the same order.
 *
 * `now` is the database's clock, in microseconds. `wakeAt` says when to ask again if nothing happens before; null: only an event changes anything.
 */
export function decide(graph: GraphState, now: Instant): { readonly commands: readonly Command[]; readonly wakeAt: Instant | null } {
  if (graph.status !== 'running') return { commands: [], wakeAt: null };
  const ends = graph.order.flatMap((name) => ending(graph, name));
  if (ends.length > 0) return { commands: ends, wakeAt: null };

  const suspects = suspectsOf(graph);
  if (suspects) return { commands: suspects, wakeAt: null };

  const bounded = starts(graph, now, true);
  if (bounded.commands.length > 0 || bounded.wakeAt !== null || isAnythingRunning(graph)) return bounded;
  // A bound delays, it never forbids: cuts do not depend on it, so lifting it changes nothing but the order of work.
  const lifted = starts(graph, now, false);
  if (lifted.commands.length > 0) return lifted;
  return {
    commands: graph.order.every((name) => isDone(stepOf(graph, name))) ? [{ type: 'FinishRun', outcome: outcomeOf(graph) }] : [],
    wakeAt: null,
  };
}

/** How many batches may wait on an edge for a step with so many calls in flight. */
const waitingMax = (concurrency: number): number => 4 + 2 * concurrency;

/** Whether a batch no longer counts, because its step ended below it. */
export const isMoot = (step: StepState, batch: number): boolean => step.end !== null && batch >= step.end;

const stepOf = (graph: GraphState, name: string): StepState => graph.steps[name] as StepState;

type NumberedBatch = readonly [batch: number, open: OpenBatch];

function openBatches(step: StepState): readonly NumberedBatch[] {
  const batches: NumberedBatch[] = [];
  for (const [key, open] of Object.entries(step.open)) {
    const batch = Number(key);
    if (!isMoot(step, batch)) batches.push([batch, open]);
  }
  return batches;
}

const isRunning = ({ state }: OpenBatch): boolean => state === 'running';

const isAnythingRunning = (graph: GraphState): boolean =>
  graph.order.some((name) => openBatches(stepOf(graph, name)).some(([, open]) => isRunning(open)));

function ending(graph: GraphState, name: string): readonly Command[] {
  const step = stepOf(graph, name);
  if ((step.status !== 'waiting' && step.status !== 'running') || !isSettled(step)) return [];
  if (step.failure) return [{ type: 'FailStep', step: name, code: step.failure.code, message: step.failure.message }];
  return step.blocked ? [] : [{ type: 'FinishStep', step: name }];
}

/** Batches lost with their driver run alone, one at a time, so that none is blamed for its neighbour. Null: there are none. */
function suspectsOf(graph: GraphState): readonly Command[] | null {
  for (const name of graph.order) {
    const step = stepOf(graph, name);
    if (!Object.values(step.open).some(({ suspect }) => suspect)) continue;
    const suspect = openBatches(step).find(([, open]) => open.suspect);
    if (!suspect) continue;
    const [batch, open] = suspect;
    if (isAnythingRunning(graph)) return [];
    if (open.losses >= lossesMax) return [{ type: 'PauseRun', reason: 'poison', step: name, batch, losses: open.losses }];
    return [again(step, name, batch, open, true)];
  }
  return null;
}

function starts(
  graph: GraphState,
  now: Instant,
  bounded: boolean,
): { readonly commands: readonly Command[]; readonly wakeAt: Instant | null } {
  const commands: Command[] = [];
  let wakeAt: Instant | null = null;
  for (const name of graph.order) {
    const step = stepOf(graph, name);
    if (step.status === 'finished' || step.status === 'failed') continue;
    const opened = openBatches(step);
    const lanes = lanesOf(step, opened);
    for (const [batch, open] of opened) {
      if (open.state !== 'waiting') continue;
      if (open.notBefore > now) wakeAt = Math.min(wakeAt ?? Number.POSITIVE_INFINITY, open.notBefore);
      else if (lanes.take(open.rows)) commands.push(again(step, name, batch, open, false));
    }
    const cuts = cut(graph, name, step, lanes, bounded);
    if (cuts.length > 0 && step.status === 'waiting') commands.push({ type: 'StartStep', step: name });
    commands.push(...cuts);
  }
  return { commands, wakeAt };
}

/** Operators whose function gets a batch's rows together: a batch is one call. */
const batchWise: ReadonlySet<string> = new Set(['mapBatch', 'batch', 'global']);

/**
 * How many batches of a step may run beside each other follows from `concurrency`, which counts calls: as long as the running batches without the
 * largest hold fewer calls than are wanted, another may start, so that a batch's last slow call never leaves lanes empty.
 */
function lanesOf(step: StepState, opened: readonly NumberedBatch[]): { take(rows: number): boolean } {
  const callsOf = (rows: number) => (batchWise.has(step.plan.operator) ? 1 : rows);
  let calls = 0;
  let largest = 0;
  let count = 0;
  const add = (more: number) => {
    calls += more;
    largest = Math.max(largest, more);
    count++;
  };
  for (const [, open] of opened) if (isRunning(open)) add(callsOf(open.rows));
  return {
    take: (rows) => {
      if (count > 0 && calls - largest >= step.plan.concurrency) return false;
      add(callsOf(rows));
      return true;
    },
  };
}

/** Batches that were never tried and can be cut now. */
function cut(
  graph: GraphState,
  name: string,
  step: StepState,
  lanes: { take(rows: number): boolean },
  bounded: boolean,
): readonly StartBatch[] {
  let ahead = Object.keys(step.open).length;
  const isFull = () => bounded && step.plan.consumers.some((consumer) => isCrowded(stepOf(graph, consumer), name, ahead));
  const first = (batch: number, inputs: readonly Span[], rows: number, isAgain = false): StartBatch => {
    ahead++;
    return {
      type: 'StartBatch',
      step: name,
      batch,
      attempt: 1,
      failures: 0,
      inputs,
      again: isAgain,
      rows,
      offset: step.offset,
      alone: false,
    };
  };
  const batches: StartBatch[] = [];
  switch (step.plan.cut.kind) {
    case 'source':
      // One after the other: where a batch begins is known when the one before it has ended.
      if (step.end === null && step.next === step.settled && !isFull()) batches.push(first(step.next, [], 0));
      return batches;
    case 'aligned':
      for (const { batch, inputs, rows, isAgain } of aligned(graph, step)) {
        if (isMoot(step, batch) || isFull() || !lanes.take(rows)) break;
        batches.push(first(batch, inputs, rows, isAgain));
      }
      return batches;
    case 'recut': {
      for (const [batch, rows] of step.again) {
        if (isFull() || !lanes.take(rows)) return batches;
        batches.push(first(batch, [], rows, true));
      }
      const slices = recut(graph, step, step.plan.cut.rows);
      for (let batch = step.next; !isFull(); batch++) {
        const slice = slices.next();
        if (slice.done || !lanes.take(slice.value.rows)) break;
        batches.push(first(batch, slice.value.inputs, slice.value.rows));
      }
      return batches;
    }
    case 'whole': {
      const upstream = step.plan.upstream[0] ?? '';
      const above = stepOf(graph, upstream);
      const rows = step.inboxes[0]?.[0]?.[1] ?? 0;
      if (step.next === 0 && step.end !== 0 && isSettled(above) && lanes.take(rows)) {
        batches.push(first(0, [{ step: upstream, pass: graph.pass, from: [0, 0], to: [above.end ?? 0, 0] }], rows));
      }
      return batches;
    }
  }
}

/** Whether enough of one upstream step's rows waits before a step, with `ahead` batches under way to it. */
function isCrowded(step: StepState, upstream: string, ahead: number): boolean {
  if (isDone(step) || step.plan.cut.kind === 'whole') return false;
  const inbox = step.inboxes[step.plan.upstream.indexOf(upstream)] ?? [];
  if (inbox.length + ahead < waitingMax(step.plan.concurrency)) return false;
  return step.plan.cut.kind !== 'recut' || inbox.reduce((sum, [, rows]) => sum + rows, 0) >= 2 * step.plan.cut.rows;
}

interface AlignedBatch {
  readonly batch: number;
  readonly inputs: readonly Span[];
  readonly rows: number;
  readonly isAgain: boolean;
}

/** The batches of an aligned step whose input is complete, ascending. */
function* aligned(graph: GraphState, step: StepState): Generator<AlignedBatch> {
  const { upstream, operator } = step.plan;
  const isSimple = upstream.length === 1 && step.again.length === 0;
  const waiting = isSimple
    ? (step.inboxes[0] ?? [])
    : [...new Map([...step.inboxes.flat(), ...step.again].map((each) => [each[0], each] as const)).values()].sort(([a], [b]) => a - b);
  for (const [batch] of waiting) {
    if (!isSimple && !isArrived(graph, step, batch)) continue;
    const rows = upstream.map((_, index) => rowsIn(step.inboxes[index] ?? [], batch));
    const again = rowsIn(step.again, batch);
    const inputs = upstream.flatMap((name, index): readonly Span[] => {
      // A join meets what other branches delivered in earlier passes.
      const before = operator === 'join' ? Array.from({ length: graph.pass - 1 }, (_, past) => wholeBatch(name, past + 1, batch)) : [];
      const arrived = rows[index] ?? 0;
      return arrived === 0 ? before : [...before, { step: name, pass: graph.pass, from: [batch, 0], to: [batch, arrived] }];
    });
    const all = operator === 'join' ? Math.max(...rows) : rows.reduce((sum, each) => sum + each, 0);
    yield { batch, inputs, rows: all + again, isAgain: again > 0 };
  }
}

const rowsIn = (waiting: readonly Waiting[], batch: number): number => waiting.find(([other]) => other === batch)?.[1] ?? 0;

const wholeBatch = (step: string, pass: number, batch: number): Span => ({ step, pass, from: [batch, 0], to: [batch + 1, 0] });

/** The rows of the settled prefix in order, `size` at a time, one upstream step after the other; fewer only at the very end. */
function* recut(graph: GraphState, step: StepState, size: number): Generator<{ readonly inputs: readonly Span[]; readonly rows: number }> {
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
      const taken = Math.min(entry.rows - row, need);
      const from: Place = [entry.batch, row];
      need -= taken;
      row += taken;
      const before = inputs.at(-1);
      const to: Place = [entry.batch, row];
      if (before?.step === entry.step) inputs[inputs.length - 1] = { ...before, to };
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

/** What has arrived for a re-cut step and can no longer be preceded by anything; `isAll`: nothing will come after it. */
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

const again = (step: StepState, name: string, batch: number, open: OpenBatch, alone: boolean): StartBatch => ({
  type: 'StartBatch',
  step: name,
  batch,
  attempt: open.attempt + 1,
  failures: open.failures,
  inputs: open.inputs,
  again: false,
  rows: open.rows,
  offset: step.offset,
  alone,
});

function outcomeOf(graph: GraphState): Outcome {
  const steps = Object.values(graph.steps);
  const leaves = steps.filter(({ plan }) => plan.consumers.length === 0);
  if (leaves.every(({ status }) => status !== 'finished')) return 'failed';
  return steps.some(({ status, lost }) => status !== 'finished' || lost > 0) ? 'partial' : 'succeeded';
}
