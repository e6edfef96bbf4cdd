import type { RecordedEvent } from '../schema/index.ts';
import { getOwn } from './own.ts';
import { projection } from './projection.ts';
import { parseInstant } from './instant.ts';

/** Progress of one step. Rows are counted when their batch succeeds. */
export interface StepProgress {
  readonly batches: { readonly succeeded: number; readonly failed: number; readonly running: number };
  /** Attempts that failed or were lost, and were followed by another attempt. */
  readonly retries: number;
  readonly rows: { readonly in: number; readonly out: number; readonly rejected: number };
  /** For a source: the total number of items that it reported, or null. */
  readonly count: number | null;
  /** Time spent in successful attempts. Batches that ran concurrently each add their own time. */
  readonly elapsedMs: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Recent points in time with the input rows done by then, oldest first. Rates are computed from them. */
  readonly trail: readonly (readonly [atMicros: number, rowsIn: number])[];
  /** Keys that were dropped from its rows because no column declares them. */
  readonly undeclared: readonly string[];
}

/** Progress of all steps of a run. */
export interface ProgressState {
  readonly steps: Readonly<Record<string, StepProgress>>;
  readonly lastEventAt: string | null;
}

/** Points of a step's trail. */
const trailMax = 12;
/** Minimum time between two points. */
const trailEveryMicros = 1_000_000;
const undeclaredMax = 100;

const noProgress: StepProgress = {
  batches: { succeeded: 0, failed: 0, running: 0 },
  retries: 0,
  rows: { in: 0, out: 0, rejected: 0 },
  count: null,
  elapsedMs: 0,
  startedAt: null,
  endedAt: null,
  trail: [],
  undeclared: [],
};

/** Counts batches, rows and times of every step, for display. */
export const progress = projection<ProgressState>({
  name: 'progress',
  version: 2,
  initialState: () => ({ steps: {}, lastEventAt: null }),
  on: {
    RunStarted: (_state, { data, recordedAt }) => ({
      steps: Object.fromEntries(data.manifest.steps.map(({ name }) => [name, noProgress])),
      lastEventAt: recordedAt,
    }),
    RunResumed: (state, event) => withEventTime(state, event),
    RunReopened: (state, event) => subtractRetried(withEventTime(state, event), event),
    RunPaused: (state, event) => withEventTime(state, event),
    RunCancelled: (state, event) => withEventTime(state, event),
    RunFinished: (state, event) => withEventTime(state, event),
    StepStarted: (state, event) =>
      updateStep(state, event, (step) => ({ ...step, count: event.data.count, startedAt: step.startedAt ?? event.recordedAt })),
    StepFinished: (state, event) => updateStep(state, event, (step) => ({ ...step, endedAt: event.recordedAt })),
    StepFailed: (state, event) =>
      updateStep(state, event, (step) => ({ ...step, batches: { ...step.batches, running: 0 }, endedAt: event.recordedAt })),
    BatchStarted: (state, event) =>
      updateStep(state, event, (step) => ({ ...step, batches: { ...step.batches, running: step.batches.running + 1 } })),
    BatchSucceeded: (state, event) => updateStep(state, event, (step) => addSuccess(step, event)),
    BatchFailed: (state, event) =>
      updateStep(state, event, (step) => ({
        ...step,
        retries: step.retries + (event.data.retryInMs === null ? 0 : 1),
        batches: {
          ...step.batches,
          failed: step.batches.failed + (event.data.retryInMs === null ? 1 : 0),
          running: Math.max(0, step.batches.running - 1),
        },
      })),
    BatchAbandoned: (state, event) =>
      updateStep(state, event, (step) => ({
        ...step,
        retries: step.retries + 1,
        batches: { ...step.batches, running: Math.max(0, step.batches.running - 1) },
      })),
  },
});

/** Returns the input rows per second over a step's trail, or null if the trail is shorter than a second. */
export function rowsPerSecond({ trail }: StepProgress): number | null {
  const first = trail[0];
  const last = trail.at(-1);
  if (!first || !last || last[0] - first[0] < trailEveryMicros) return null;
  return (last[1] - first[1]) / ((last[0] - first[0]) / 1_000_000);
}

const withEventTime = (state: ProgressState, { recordedAt }: { readonly recordedAt: string }): ProgressState => ({
  ...state,
  lastEventAt: recordedAt,
});

function updateStep(
  state: ProgressState,
  { step: name, recordedAt }: { readonly step: string; readonly recordedAt: string },
  change: (step: StepProgress) => StepProgress,
): ProgressState {
  const step = getOwn(state.steps, name);
  return step ? { steps: { ...state.steps, [name]: change(step) }, lastEventAt: recordedAt } : withEventTime(state, { recordedAt });
}

/** Subtracts the rows that are tried again: they are no longer rejected, and they will enter the step once more. */
function subtractRetried(state: ProgressState, { data }: RecordedEvent<'RunReopened'>): ProgressState {
  const steps = { ...state.steps };
  for (const [name, batches] of Object.entries(data.again)) {
    const step = steps[name];
    if (!step) continue;
    const rows = batches.reduce((sum, [, count]) => sum + count, 0);
    steps[name] = { ...step, endedAt: null, rows: { ...step.rows, in: step.rows.in - rows, rejected: step.rows.rejected - rows } };
  }
  return { ...state, steps };
}

function addSuccess(step: StepProgress, { data, recordedAt }: RecordedEvent<'BatchSucceeded'>): StepProgress {
  const rows = {
    in: step.rows.in + data.rowsIn,
    out: step.rows.out + data.rows,
    rejected: step.rows.rejected + data.rejected.count,
  };
  const last = step.trail.at(-1);
  const point = [parseInstant(recordedAt), rows.in] as const;
  const isDense = last !== undefined && point[0] - last[0] < trailEveryMicros;
  const undeclared = data.undeclared.filter((key) => !step.undeclared.includes(key));
  return {
    ...step,
    batches: { ...step.batches, succeeded: step.batches.succeeded + 1, running: Math.max(0, step.batches.running - 1) },
    rows,
    elapsedMs: step.elapsedMs + data.elapsedMs,
    trail: isDense ? step.trail : [...step.trail, point].slice(-trailMax),
    undeclared: undeclared.length === 0 ? step.undeclared : [...step.undeclared, ...undeclared].slice(0, undeclaredMax),
  };
}
