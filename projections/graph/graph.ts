import type { RecordedEvent, Span } from '../../schema/index.ts';
import { projection } from '../projection.ts';
import { parseInstant } from '../instant.ts';
import { reopen } from './reopen.ts';
import { notRetriable } from './retriable.ts';
import { knownEnds, settle, withStep } from './settle.ts';
import { absentGraph, plannedSteps, replanned, stepNamed, type GraphState, type OpenBatch, type StepState, type Waiting } from './state.ts';

/**
 * The state of every step and batch: enough to show a run and to drive it. Its size follows the batches that are open or waited for, not those that
 * are done: a settled prefix, intervals above it, the open batches, what each step has yet to take.
 */
export const graph = projection<GraphState>({
  name: 'graph',
  version: 5,
  initialState: absentGraph,
  on: {
    RunStarted: (state, { data }) =>
      state.status === 'absent'
        ? {
            ...state,
            status: 'running',
            pipeline: data.manifest.pipeline,
            seed: data.seed,
            epoch: 1,
            pass: 1,
            order: data.manifest.steps.map(({ name }) => name),
            steps: plannedSteps(data.manifest.steps),
          }
        : state,
    RunResumed: (state, { data }) =>
      state.status === 'running' || state.status === 'paused'
        ? {
            ...state,
            status: 'running',
            epoch: data.epoch,
            paused: null,
            steps: anotherTry(replanned(state.steps, data.acceptedChanges, data.concurrency), state.status === 'paused'),
          }
        : state,
    RunReopened: reopen,
    RunPaused: (state, { data, position }) =>
      state.status === 'running'
        ? {
            ...(data.reason === 'reject-limit' && data.step !== null ? owed(state, data.step, position) : state),
            status: 'paused',
            paused: { reason: data.reason, message: data.message, step: data.step },
          }
        : state,
    RunCancelled: (state) =>
      state.status === 'running' || state.status === 'paused' ? { ...state, status: 'cancelled', paused: null } : state,
    RunFinished: (state, { data }) => (state.status === 'running' ? { ...state, status: data.outcome } : state),
    StepStarted: (state, { step, data: { origin } }) =>
      stepNamed(state, step)?.status === 'waiting' ? withStep(state, step, { status: 'running', origin }) : state,
    StepFinished: (state, { step }) => (isMoving(stepNamed(state, step)) ? withStep(state, step, { status: 'finished', open: {} }) : state),
    StepFailed: (state, { step }) => (isMoving(stepNamed(state, step)) ? withStep(state, step, { status: 'failed', open: {} }) : state),
    BatchStarted: started,
    BatchSucceeded: succeeded,
    BatchFailed: failed,
    BatchAbandoned: (state, event) => {
      const open = running(state, event);
      if (!open) return state;
      return withOpen(state, event, {
        ...open,
        state: 'waiting',
        notBefore: 0,
        crashes: open.crashes + 1,
        alone: false,
        losses: open.losses + (open.alone ? 1 : 0),
      });
    },
  },
});

/** Losses while alone after which a batch is poison: it goes on when somebody says so, and then has one more try. */
export const lossesMax = 3;

/** Rows that a step rejected, perhaps because it was broken, are to be tried again where that can be done. */
function owed(state: GraphState, name: string, position: number): GraphState {
  const step = stepNamed(state, name);
  return step && step.lost > 0 && notRetriable(state, name) === null ? withStep(state, name, { owedUntil: position }) : state;
}

const isMoving = (step: StepState | undefined): boolean => step?.status === 'waiting' || step?.status === 'running';

function anotherTry(steps: Readonly<Record<string, StepState>>, wasPaused: boolean): Readonly<Record<string, StepState>> {
  const isPoison = ({ losses }: OpenBatch) => losses >= lossesMax;
  if (!wasPaused || !Object.values(steps).some(({ open }) => Object.values(open).some(isPoison))) return steps;
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => {
      const open = Object.entries(step.open).map(([batch, each]) => [batch, isPoison(each) ? { ...each, losses: lossesMax - 1 } : each]);
      return [name, { ...step, open: Object.fromEntries(open) as StepState['open'] }];
    }),
  );
}

function started(state: GraphState, { step: name, batch, attempt, data }: RecordedEvent<'BatchStarted'>): GraphState {
  const step = stepNamed(state, name);
  if (!step) return state;
  const before = step.open[String(batch)];
  const open: OpenBatch = {
    attempt,
    state: 'running',
    notBefore: 0,
    failures: before?.failures ?? 0,
    crashes: before?.crashes ?? 0,
    alone: data.alone,
    losses: before?.losses ?? 0,
    inputs: data.inputs,
    rows: before?.rows ?? data.rows,
  };
  const next = withStep(state, name, { next: Math.max(step.next, batch + 1), open: { ...step.open, [String(batch)]: open } });
  return before ? next : knownEnds(taken(next, name, batch, data.inputs), [name]);
}

/** The first attempt at a batch takes its input out of the inbox. */
function taken(state: GraphState, name: string, batch: number, inputs: readonly Span[]): GraphState {
  const step = stepNamed(state, name);
  if (!step) return state;
  const isAgain = step.again.some(([other]) => other === batch);
  const again = isAgain ? step.again.filter(([other]) => other !== batch) : step.again;
  switch (step.plan.cut.kind) {
    case 'source':
      return state;
    case 'aligned':
      return withStep(state, name, { again, inboxes: step.inboxes.map((inbox) => inbox.filter(([other]) => other !== batch)) });
    case 'whole':
      return withStep(state, name, { inboxes: step.inboxes.map(() => []) });
    case 'recut':
      return withStep(state, name, isAgain ? { again } : recutFrom(step, inputs));
  }
}

/** What a re-cut step has left once these spans are taken: whole inboxes are used up in the order of its upstream steps. */
function recutFrom(step: StepState, inputs: readonly Span[]): Pick<StepState, 'inboxes' | 'skip'> {
  let skip = step.skip;
  const inboxes = step.inboxes.map((inbox, index): readonly Waiting[] => {
    const last = inputs.findLast((span) => span.step === step.plan.upstream[index]);
    if (!last) return inbox;
    const [toBatch, toRow] = last.to;
    const left = inbox.filter(([other, rows]) => other > toBatch || (other === toBatch && toRow < rows));
    skip = left[0]?.[0] === toBatch ? toRow : 0;
    return left;
  });
  return { inboxes, skip };
}

function succeeded(state: GraphState, event: RecordedEvent<'BatchSucceeded'>): GraphState {
  const { step: name, batch, data } = event;
  const step = stepNamed(state, name);
  if (!step || !running(state, event)) return state;
  const source = data.source ? { offset: step.offset + data.source.read, end: data.source.last ? batch + 1 : step.end } : {};
  return settle(withStep(state, name, { ...source, lost: step.lost + data.rejected.count }), name, batch, data.rows);
}

function failed(state: GraphState, event: RecordedEvent<'BatchFailed'>): GraphState {
  const { step: name, batch, attempt, data } = event;
  const step = stepNamed(state, name);
  const open = step?.open[String(batch)];
  if (!step || !open) return state;
  if (data.retryInMs === null) {
    // A batch that nobody is running can be given up too: whoever resumes skips it, under the number of the attempt that will not be made.
    if (attempt !== (open.state === 'running' ? open.attempt : open.attempt + 1)) return state;
    const lost = withStep(state, name, { lost: step.lost + 1 });
    // What a later pass cannot rescue costs its rows only: what earlier passes delivered stays.
    return settle(data.failsStep && state.pass === 1 ? doomed(lost, event) : lost, name, batch, 0);
  }
  if (!running(state, event)) return state;
  return withOpen(state, event, {
    ...open,
    state: 'waiting',
    notBefore: data.retryInMs === 0 ? 0 : parseInstant(event.recordedAt) + data.retryInMs * 1000,
    failures: open.failures + (data.counted ? 1 : 0),
    crashes: 0,
    alone: false,
    losses: 0,
  });
}

/** A step ends at its lowest batch that was given up: everything before it still arrives, so what arrives does not depend on timing. */
function doomed(state: GraphState, { step: name, batch, data }: RecordedEvent<'BatchFailed'>): GraphState {
  const step = stepNamed(state, name);
  if (!step || (step.end !== null && batch >= step.end)) return state;
  let next = withStep(state, name, { failure: { batch, code: data.error.code, message: data.error.message } });
  const dead = new Set([name]);
  for (const each of next.order) {
    const below = next.steps[each];
    if (!below?.plan.upstream.some((upstream) => dead.has(upstream))) continue;
    dead.add(each);
    next = withStep(next, each, { blocked: true });
  }
  return knownEnds(next, [...dead]);
}

type OfAttempt = { readonly step: string; readonly batch: number; readonly attempt: number };

/** The open batch whose attempt under way an event is about; what comes late or twice is about none. */
function running(state: GraphState, { step, batch, attempt }: OfAttempt): OpenBatch | undefined {
  const open = stepNamed(state, step)?.open[String(batch)];
  return open?.attempt === attempt && open.state === 'running' ? open : undefined;
}

function withOpen(state: GraphState, { step: name, batch }: OfAttempt, open: OpenBatch): GraphState {
  const step = stepNamed(state, name);
  return step ? withStep(state, name, { open: { ...step.open, [String(batch)]: open } }) : state;
}
