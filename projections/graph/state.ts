import type { AcceptedChange, Cut, DataOf, ManifestStep, Operator, Outcome, PauseReason, Range, Span } from '../../schema/index.ts';
import { getOwn } from '../own.ts';
import type { Instant } from '../instant.ts';

/** The parts of a step's manifest that decide how its batches are cut and started. */
export interface StepPlan {
  readonly operator: Operator;
  readonly upstream: readonly string[];
  readonly consumers: readonly string[];
  readonly cut: Cut;
  readonly concurrency: number;
  readonly signature: string;
}

/** A batch that has started and is not over. */
export interface OpenBatch {
  readonly attempt: number;
  /** `running`: an attempt is running. `waiting`: the next attempt may start at `notBefore` (0: at once). */
  readonly state: 'running' | 'waiting';
  readonly notBefore: Instant;
  /** Attempts that failed and count against the step's `attempts`. */
  readonly failures: number;
  /** Attempts lost with their driver since an attempt last ended by itself, whether other batches ran or not. */
  readonly crashes: number;
  /** Whether the running attempt runs alone. */
  readonly alone: boolean;
  /** Attempts lost while they ran alone. */
  readonly losses: number;
  readonly inputs: readonly Span[];
  readonly rows: number;
}

/** An upstream batch whose rows a step has not taken yet: its number and its number of rows. */
export type Waiting = readonly [batch: number, rows: number];

/** The state of one step. */
export interface StepState {
  readonly plan: StepPlan;
  /**
   * `waiting`: no batch has been cut yet. `running`. `finished`: every batch is over. `failed`: a batch was given up and ended the step.
   * A finished step runs again only in a new pass. A failed step never does.
   */
  readonly status: 'waiting' | 'running' | 'finished' | 'failed';
  /** Whether a step above it failed. The step still processes the rows that arrive, and never finishes. */
  readonly blocked: boolean;
  /** The first batch that has not been cut. */
  readonly next: number;
  /** The number of batches, or null while it is unknown. */
  readonly end: number | null;
  /** All batches below this number are over. */
  readonly settled: number;
  /** Batches at or above `settled` that are over, as half-open ranges, sorted and disjoint. */
  readonly over: readonly Range[];
  /** Batches that have started and are not over, by number. */
  readonly open: Readonly<Record<string, OpenBatch>>;
  /** For each upstream step: batches that have not been taken, ascending. */
  readonly inboxes: readonly (readonly Waiting[])[];
  /** In a later pass: its own batches with rows to try again that have not been taken, ascending. */
  readonly again: readonly Waiting[];
  /** For a re-cut step: number of rows of its inbox's first batch that have been taken. */
  readonly skip: number;
  /** For a source: number of items read by batches that are over. */
  readonly offset: number;
  /** For a source: the origin of its rows, as recorded when it started. */
  readonly origin: DataOf<'StepStarted'>['origin'];
  /** The lowest batch that was given up and ends the step, with its cause. */
  readonly failure: { readonly batch: number; readonly code: string; readonly message: string } | null;
  /** Number of rejected rows and given-up batches. They decide the run's outcome. */
  readonly lost: number;
  /**
   * Set when the run paused because the step rejected too many rows. The rows that it rejected up to this position are tried again in a new pass when this
   * one ends.
   */
  readonly owedUntil?: number;
}

/** The state of a run, of its steps and of their open batches. */
export interface GraphState {
  /** `absent`: the log has no event yet. */
  readonly status: 'absent' | 'running' | 'paused' | 'cancelled' | Outcome;
  readonly pipeline: string;
  readonly seed: number;
  readonly epoch: number;
  readonly pass: number;
  readonly paused: { readonly reason: PauseReason; readonly message: string; readonly step: string | null } | null;
  /** Names of the steps, in topological order. */
  readonly order: readonly string[];
  readonly steps: Readonly<Record<string, StepState>>;
}

/** Returns the state of a graph before its first event. */
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

/** Returns the state of every step before its first batch. */
export function planSteps(steps: readonly ManifestStep[]): Record<string, StepState> {
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

/** Applies the changes that a takeover accepted to the steps' signatures and concurrency. */
export function replanSteps(
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
          concurrency: getOwn(concurrency, name) ?? step.plan.concurrency,
        },
      },
    ]),
  );
}

/** Returns the step that an event belongs to, or undefined. An event may name a step that is not in the graph, such as `constructor`. */
export const getStep = ({ steps }: GraphState, name: string): StepState | undefined => getOwn(steps, name);

/** Returns whether every batch of a step is over. */
export const isSettled = (step: StepState): boolean => step.end !== null && step.settled >= step.end;

/** Returns whether a step will run no more batches. */
export const isDone = (step: StepState): boolean =>
  step.status === 'finished' || step.status === 'failed' || (step.blocked && isSettled(step));
