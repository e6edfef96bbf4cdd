import type { RecordedEvent, Span } from '../../schema/index.ts';
import { projection } from '../projection.ts';
import { parseInstant } from '../instant.ts';
import { reopen } from './reopen.ts';
import { findRetryObstacle } from './retry-obstacle.ts';
import { propagateEnds, settle, withStep } from './settle.ts';
import { absentGraph, planSteps, replanSteps, getStep, type GraphState, type OpenBatch, type StepState, type Waiting } from './state.ts';

/**
 * Folds the state of every step and batch. It is enough to show a run and to drive it. Its size grows with the open and waiting batches only: finished
 * batches are kept as a settled prefix and as intervals above it.
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
            steps: planSteps(data.manifest.steps),
          }
        : state,
    RunResumed: (state, { data }) =>
      state.status === 'running' || state.status === 'paused'
        ? {
            ...state,
            status: 'running',
            epoch: data.epoch,
            paused: null,
            steps: grantAnotherAttempt(replanSteps(state.steps, data.acceptedChanges, data.concurrency), state.status === 'paused'),
          }
        : state,
    RunReopened: reopen,
    RunPaused: (state, { data, position }) =>
      state.status === 'running'
        ? {
            ...(data.reason === 'reject-limit' && data.step !== null ? oweRetry(state, data.step, position) : state),
            status: 'paused',
            paused: { reason: data.reason, message: data.message, step: data.step },
          }
        : state,
    RunCancelled: (state) =>
      state.status === 'running' || state.status === 'paused' ? { ...state, status: 'cancelled', paused: null } : state,
    RunFinished: (state, { data }) => (state.status === 'running' ? { ...state, status: data.outcome } : state),
    StepStarted: (state, { step, data: { origin } }) =>
      getStep(state, step)?.status === 'waiting' ? withStep(state, step, { status: 'running', origin }) : state,
    StepFinished: (state, { step }) => (isMoving(getStep(state, step)) ? withStep(state, step, { status: 'finished', open: {} }) : state),
    StepFailed: (state, { step }) => (isMoving(getStep(state, step)) ? withStep(state, step, { status: 'failed', open: {} }) : state),
    BatchStarted: applyStarted,
    BatchSucceeded: applySucceeded,
    BatchFailed: applyFailed,
    BatchAbandoned: (state, event) => {
      const open = findRunning(state, event);
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

/** Number of losses, while it runs alone, that make a batch poison. It continues only when an operator resumes the run, and then gets one more attempt. */
export const lossesMax = 3;

/** Marks the rows that a step has rejected to be tried again, if that is possible: the step may have been broken. */
function oweRetry(state: GraphState, name: string, position: number): GraphState {
  const step = getStep(state, name);
  return step && step.lost > 0 && findRetryObstacle(state, name) === null ? withStep(state, name, { owedUntil: position }) : state;
}

const isMoving = (step: StepState | undefined): boolean => step?.status === 'waiting' || step?.status === 'running';

/** Grants poison batches one more attempt when a paused run is resumed. */
function grantAnotherAttempt(steps: Readonly<Record<string, StepState>>, wasPaused: boolean): Readonly<Record<string, StepState>> {
  const isPoison = ({ losses }: OpenBatch) => losses >= lossesMax;
  if (!wasPaused || !Object.values(steps).some(({ open }) => Object.values(open).some(isPoison))) return steps;
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => {
      const open = Object.entries(step.open).map(([batch, each]) => [batch, isPoison(each) ? { ...each, losses: lossesMax - 1 } : each]);
      return [name, { ...step, open: Object.fromEntries(open) as StepState['open'] }];
    }),
  );
}

function applyStarted(state: GraphState, { step: name, batch, attempt, data }: RecordedEvent<'BatchStarted'>): GraphState {
  const step = getStep(state, name);
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
  return before ? next : propagateEnds(takeInputs(next, name, batch, data.inputs), [name]);
}

/** Takes the input of a batch out of the inboxes, at its first attempt. */
function takeInputs(state: GraphState, name: string, batch: number, inputs: readonly Span[]): GraphState {
  const step = getStep(state, name);
  if (!step) return state;
  const isRetried = step.again.some(([other]) => other === batch);
  const again = isRetried ? step.again.filter(([other]) => other !== batch) : step.again;
  switch (step.plan.cut.kind) {
    case 'source':
      return state;
    case 'aligned':
      return withStep(state, name, { again, inboxes: step.inboxes.map((inbox) => inbox.filter(([other]) => other !== batch)) });
    case 'whole':
      return withStep(state, name, { inboxes: step.inboxes.map(() => []) });
    case 'recut':
      return withStep(state, name, isRetried ? { again } : takeFromInboxes(step, inputs));
  }
}

/** Returns what remains of a re-cut step's inboxes after these spans. Inboxes are used up one after the other, in the order of the upstream steps. */
function takeFromInboxes(step: StepState, inputs: readonly Span[]): Pick<StepState, 'inboxes' | 'skip'> {
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

function applySucceeded(state: GraphState, event: RecordedEvent<'BatchSucceeded'>): GraphState {
  const { step: name, batch, data } = event;
  const step = getStep(state, name);
  if (!step || !findRunning(state, event)) return state;
  const source = data.source ? { offset: step.offset + data.source.read, end: data.source.last ? batch + 1 : step.end } : {};
  return settle(withStep(state, name, { ...source, lost: step.lost + data.rejected.count }), name, batch, data.rows);
}

function applyFailed(state: GraphState, event: RecordedEvent<'BatchFailed'>): GraphState {
  const { step: name, batch, attempt, data } = event;
  const step = getStep(state, name);
  const open = step?.open[String(batch)];
  if (!step || !open) return state;
  if (data.retryInMs === null) {
    // A waiting batch can be given up too: an operator who resumes skips it. The event then has the number of the attempt that will not be made.
    if (attempt !== (open.state === 'running' ? open.attempt : open.attempt + 1)) return state;
    const lost = withStep(state, name, { lost: step.lost + 1 });
    // In a later pass, a failed batch costs only its own rows. Rows that earlier passes delivered stay.
    return settle(data.failsStep && state.pass === 1 ? endAtBatch(lost, event) : lost, name, batch, 0);
  }
  if (!findRunning(state, event)) return state;
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

/** Ends a step at its lowest batch that was given up. All batches before it still arrive, so the result does not depend on timing. */
function endAtBatch(state: GraphState, { step: name, batch, data }: RecordedEvent<'BatchFailed'>): GraphState {
  const step = getStep(state, name);
  if (!step || (step.end !== null && batch >= step.end)) return state;
  let next = withStep(state, name, { failure: { batch, code: data.error.code, message: data.error.message } });
  const endedSteps = new Set([name]);
  for (const each of next.order) {
    const below = next.steps[each];
    if (!below?.plan.upstream.some((upstream) => endedSteps.has(upstream))) continue;
    endedSteps.add(each);
    next = withStep(next, each, { blocked: true });
  }
  return propagateEnds(next, [...endedSteps]);
}

/** Names one attempt at a batch of a step. */
type AttemptName = { readonly step: string; readonly batch: number; readonly attempt: number };

/** Returns the open batch whose running attempt an event belongs to. Late and duplicate events belong to none. */
function findRunning(state: GraphState, { step, batch, attempt }: AttemptName): OpenBatch | undefined {
  const open = getStep(state, step)?.open[String(batch)];
  return open?.attempt === attempt && open.state === 'running' ? open : undefined;
}

function withOpen(state: GraphState, { step: name, batch }: AttemptName, open: OpenBatch): GraphState {
  const step = getStep(state, name);
  return step ? withStep(state, name, { open: { ...step.open, [String(batch)]: open } }) : state;
}
