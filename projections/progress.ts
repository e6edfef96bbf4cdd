import type { RecordedEvent } from '../schema/index.ts';
import { own } from './own.ts';
import { projection } from './projection.ts';
import { parseInstant } from './instant.ts';

/** How far a step is. Rows are counted when their batch succeeds. */
export interface StepProgress {
  readonly batches: { readonly succeeded: number; readonly failed: number; readonly running: number };
  /** Attempts that ended badly, or were lost, and were or will be made again. */
  readonly retries: number;
  readonly rows: { readonly in: number; readonly out: number; readonly rejected: number };
  /** A source: how many items it says it has in all. */
  readonly count: number | null;
  /** Time spent in attempts that succeeded, summed over batches that ran beside each other. */
  readonly elapsedMs: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Points on the way, the latest last: when, and how many input rows were done by then. For rates. */
  readonly trail: readonly (readonly [atMicros: number, rowsIn: number])[];
  /** Keys that its rows had and no column declares: dropped. */
  readonly undeclared: readonly string[];
}

export interface ProgressState {
  readonly steps: Readonly<Record<string, StepProgress>>;
  readonly lastEventAt: string | null;
}

/** Points kept of a step's trail, and the least time between two of them. */
const trailMax = 12;
const trailEveryMicros = 1_000_000;
const undeclaredMax = 100;

const nothing: StepProgress = {
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

/** Counts for people: batches, rows and times of every step. */
export const progress = projection<ProgressState>({
  name: 'progress',
  version: 2,
  initialState: () => ({ steps: {}, lastEventAt: null }),
  on: {
    RunStarted: (_state, { data, recordedAt }) => ({
      steps: Object.fromEntries(data.manifest.steps.map(({ name }) => [name, nothing])),
      lastEventAt: recordedAt,
    }),
    RunResumed: (state, event) => seen(state, event),
    RunReopened: (state, event) => triedAgain(seen(state, event), event),
    RunPaused: (state, event) => seen(state, event),
    RunCancelled: (state, event) => seen(state, event),
    RunFinished: (state, event) => seen(state, event),
    StepStarted: (state, event) =>
      at(state, event, (step) => ({ ...step, count: event.data.count, startedAt: step.startedAt ?? event.recordedAt })),
    StepFinished: (state, event) => at(state, event, (step) => ({ ...step, endedAt: event.recordedAt })),
    StepFailed: (state, event) =>
      at(state, event, (step) => ({ ...step, batches: { ...step.batches, running: 0 }, endedAt: event.recordedAt })),
    BatchStarted: (state, event) =>
      at(state, event, (step) => ({ ...step, batches: { ...step.batches, running: step.batches.running + 1 } })),
    BatchSucceeded: (state, event) => at(state, event, (step) => withSuccess(step, event)),
    BatchFailed: (state, event) =>
      at(state, event, (step) => ({
        ...step,
        retries: step.retries + (event.data.retryInMs === null ? 0 : 1),
        batches: {
          ...step.batches,
          failed: step.batches.failed + (event.data.retryInMs === null ? 1 : 0),
          running: Math.max(0, step.batches.running - 1),
        },
      })),
    BatchAbandoned: (state, event) =>
      at(state, event, (step) => ({
        ...step,
        retries: step.retries + 1,
        batches: { ...step.batches, running: Math.max(0, step.batches.running - 1) },
      })),
  },
});

/** Input rows per second over the trail, or null where there is too little of it. */
export function rowsPerSecond({ trail }: StepProgress): number | null {
  const first = trail[0];
  const last = trail.at(-1);
  if (!first || !last || last[0] - first[0] < trailEveryMicros) return null;
  return (last[1] - first[1]) / ((last[0] - first[0]) / 1_000_000);
}

const seen = (state: ProgressState, { recordedAt }: { readonly recordedAt: string }): ProgressState => ({
  ...state,
  lastEventAt: recordedAt,
});

function at(
  state: ProgressState,
  { step: name, recordedAt }: { readonly step: string; readonly recordedAt: string },
  change: (step: StepProgress) => StepProgress,
): ProgressState {
  const step = own(state.steps, name);
  return step ? { steps: { ...state.steps, [name]: change(step) }, lastEventAt: recordedAt } : seen(state, { recordedAt });
}

/** Rows that are tried again are not rejected any more, and go in once more. */
function triedAgain(state: ProgressState, { data }: RecordedEvent<'RunReopened'>): ProgressState {
  const steps = { ...state.steps };
  for (const [name, batches] of Object.entries(data.again)) {
    const step = steps[name];
    if (!step) continue;
    const rows = batches.reduce((sum, [, count]) => sum + count, 0);
    steps[name] = { ...step, endedAt: null, rows: { ...step.rows, in: step.rows.in - rows, rejected: step.rows.rejected - rows } };
  }
  return { ...state, steps };
}

function withSuccess(step: StepProgress, { data, recordedAt }: RecordedEvent<'BatchSucceeded'>): StepProgress {
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
