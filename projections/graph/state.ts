import type { AcceptedChange, Cut, DataOf, ManifestStep, Operator, Outcome, PauseReason, Range, Span } from '../../schema/index.ts';
import { own } from '../own.ts';
import type { Instant } from '../instant.ts';

/** What of a step's manifest decides how it moves. */
export interface StepPlan {
  readonly operator: Operator;
  readonly upstream: readonly string[];
  readonly consumers: readonly string[];
  readonly cut: Cut;
  readonly concurrency: number;
  readonly signature: string;
}

/** A batch that was started and is not over. */
export interface OpenBatch {
  readonly attempt: number;
  /** `running`: an attempt is under way. `waiting`: for the next one, not before `notBefore` (0: at once). */
  readonly state: 'running' | 'waiting';
  readonly notBefore: Instant;
  /** Attempts that failed and count against the step's `attempts`. */
  readonly failures: number;
  /** Attempts lost with their driver since one last ended by itself, whatever ran at the same time. */
  readonly crashes: number;
  /** Whether the attempt under way runs alone. */
  readonly alone: boolean;
  /** Attempts lost while they ran alone. */
  readonly losses: number;
  readonly inputs: readonly Span[];
  readonly rows: number;
}

/** An upstream batch whose rows a step has yet to take: its number and how many rows. */
export type Waiting = readonly [batch: number, rows: number];

export interface StepState {
  readonly plan: StepPlan;
  /**
   * `waiting`: nothing was cut yet. `running`. `finished`: every batch is over. `failed`: a batch was given up and ended the step.
   * From `running` to one of the last two, never back.
   */
  readonly status: 'waiting' | 'running' | 'finished' | 'failed';
  /** Whether a step above it failed: it still works off what arrives, and never finishes. */
  readonly blocked: boolean;
  /** The first batch that was never cut. */
  readonly next: number;
  /** How many batches there are, once that is known. */
  readonly end: number | null;
  /** Every batch below is over. */
  readonly settled: number;
  /** Batches over at or above `settled`: half-open, sorted, disjoint. */
  readonly over: readonly Range[];
  readonly open: Readonly<Record<string, OpenBatch>>;
  /** By upstream step: batches not yet taken, ascending. */
  readonly inboxes: readonly (readonly Waiting[])[];
  /** In a later pass: its own batches that have rows to be tried again, not yet taken, ascending. */
  readonly again: readonly Waiting[];
  /** A re-cut step: rows of its inbox's first batch that are taken already. */
  readonly skip: number;
  /** A source: items read by batches that are over. */
  readonly offset: number;
  /** A source: what its rows come from, as recorded when it started. */
  readonly origin: DataOf<'StepStarted'>['origin'];
  /** The lowest batch that was given up and ends the step, and why. */
  readonly failure: { readonly batch: number; readonly code: string; readonly message: string } | null;
  /** Rows rejected and batches given up: whether the run is whole in the end. */
  readonly lost: number;
  /**
   * The step rejected so much that the run paused: rows that it rejected up to this position are tried again, in a new pass, when this one ends. Absent:
   * none are.
   */
  readonly owedUntil?: number;
}

export interface GraphState {
  /** `absent`: no event yet. */
  readonly status: 'absent' | 'running' | 'paused' | 'cancelled' | Outcome;
  readonly pipeline: string;
  readonly seed: number;
  readonly epoch: number;
  readonly pass: number;
  readonly paused: { readonly reason: PauseReason; readonly message: string; readonly step: string | null } | null;
  /** In topological order. */
  readonly order: readonly string[];
  readonly steps: Readonly<Record<string, StepState>>;
}

/** The state of a graph before its first event. */
export const absentGraph = (): GraphState => ({
  status: 'absent',
  pipeline: '',
  seed: 0,
  epoch: 0,
  pass: 0,
  paused: null,
  order: [],
  steps: {},
});

/** The state of every step before its first batch. */
export function plannedSteps(steps: readonly ManifestStep[]): Record<string, StepState> {
  const planned: Record<string, StepState> = Object.create(null) as Record<string, StepState>;
  for (const step of steps) {
    const consumers = steps.filter(({ upstream }) => upstream.includes(step.name)).map(({ name }) => name);
    planned[step.name] = {
      plan: {
        operator: step.operator,
        upstream: step.upstream,
        consumers,
        cut: step.cut,
        concurrency: step.options.concurrency,
        signature: step.signature,
      },
      status: 'waiting',
      blocked: false,
      next: 0,
      end: step.cut.kind === 'whole' ? 1 : null,
      settled: 0,
      over: [],
      open: {},
      inboxes: step.upstream.map(() => []),
      again: [],
      skip: 0,
      offset: 0,
      origin: null,
      failure: null,
      lost: 0,
    };
  }
  return { ...planned };
}

/** Applies what a takeover accepted: other signatures, other concurrency. */
export function replanned(
  steps: Readonly<Record<string, StepState>>,
  changes: readonly AcceptedChange[],
  concurrency: Readonly<Record<string, number>>,
): Readonly<Record<string, StepState>> {
  if (changes.length === 0 && Object.keys(concurrency).length === 0) return steps;
  const signatures = new Map(changes.map(({ step, signature }) => [step, signature]));
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [
      name,
      {
        ...step,
        plan: {
          ...step.plan,
          signature: signatures.get(name) ?? step.plan.signature,
          concurrency: own(concurrency, name) ?? step.plan.concurrency,
        },
      },
    ]),
  );
}

/** The step that an event is about. It may name none of them, and still be called as something that every object has: `constructor`. */
export const stepNamed = ({ steps }: GraphState, name: string): StepState | undefined => own(steps, name);

/** Whether every batch of a step is over. */
export const isSettled = (step: StepState): boolean => step.end !== null && step.settled >= step.end;

/** Whether a step will never do anything any more. */
export const isDone = (step: StepState): boolean =>
  step.status === 'finished' || step.status === 'failed' || (step.blocked && isSettled(step));
