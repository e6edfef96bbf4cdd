import { graph, type GraphState } from '#projections';
import { storableMessage, type Actor, type NewEvent, type PauseReason, type RecordedEvent } from '#schema';
import type { Clock } from '#kit/clock';
import { parseInstant, type Instant } from '#kit/instant';
import { decide, isMoot, type Command } from './decide.ts';
import type { BatchEnd, BatchTask, Worker } from './worker-port.ts';

/** Appends a driver's events, in order: each call is durable when it resolves. `log.openAppender` makes one. */
export interface Appender {
  append(events: readonly NewEvent[]): Promise<readonly RecordedEvent[]>;
}

/** How a run came to rest. */
export type Rest = 'succeeded' | 'partial' | 'failed' | 'paused' | 'cancelled';

/** Why a run should stop: what becomes the reason and message of `RunPaused` or `RunCancelled`. */
export interface StopWish {
  readonly kind: 'pause' | 'cancel';
  readonly reason: PauseReason;
  readonly message: string;
  readonly step: string | null;
  readonly actor: Actor;
}

export interface DriverParts {
  readonly state: GraphState;
  readonly appender: Appender;
  readonly worker: Worker;
  readonly actor: Actor;
  readonly clock: Clock;
  /** Told of an attempt's end that could not be appended, because the run is another process's by now. */
  readonly onLate: (event: BatchEnd['event']) => Promise<void>;
}

/**
 * Moves one run: folds what is recorded, asks `decide`, appends, hands out. Recovery is not a special path: a driver starts from whatever state the
 * log folds to.
 *
 * `evolve` must be called with every recorded event, in order, before the call that appended it resolves; `run` ends when the run is at rest, and
 * throws when its appender has lost the log.
 */
export class Driver {
  readonly #appender: Appender;
  readonly #worker: Worker;
  readonly #actor: Actor;
  readonly #clock: Clock;
  readonly #onLate: (event: BatchEnd['event']) => Promise<void>;
  readonly #running = new Map<string, { readonly task: BatchTask; readonly abort: AbortController }>();
  readonly #abort = new AbortController();
  #state: GraphState;
  #clockLead: Instant = 0;
  #stopping: StopWish | null = null;
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => undefined;

  constructor(given: DriverParts) {
    this.#state = given.state;
    this.#appender = given.appender;
    this.#worker = given.worker;
    this.#actor = given.actor;
    this.#clock = given.clock;
    this.#onLate = given.onLate;
  }

  /** The graph as of the last recorded event. */
  get state(): GraphState {
    return this.#state;
  }

  /** Takes in what was recorded. */
  evolve(events: readonly RecordedEvent[]): void {
    for (const event of events) this.#state = graph.evolve(this.#state, event);
    const last = events.at(-1);
    if (last) this.#clockLead = parseInstant(last.recordedAt) - this.#clock();
    for (const { task, abort } of this.#running.values()) {
      const step = this.#state.steps[task.step];
      if (step && isMoot(step, task.batch)) abort.abort();
    }
    this.#wake();
  }

  /** Hands out no more, lets calls in flight end, and brings the run to rest. The first wish counts. */
  stop(wish: StopWish): void {
    this.#stopping ??= wish;
    this.#worker.stop();
    if (wish.kind === 'cancel') this.abort();
    this.#wake();
  }

  /** Ends calls in flight without waiting for them. */
  abort(): void {
    this.#abort.abort();
    for (const { abort } of this.#running.values()) abort.abort();
  }

  /** Moves the run until it is at rest. */
  async run(): Promise<Rest> {
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.error;
        const { status } = this.#state;
        if (status !== 'running') return status as Rest;
        const { commands, wakeAt } = this.#next();
        if (commands.length > 0) await this.#carryOut(commands);
        else if (this.#stopping && this.#running.size === 0) await this.#appender.append([resting(this.#stopping)]);
        else await this.#somethingHappens(wakeAt);
      }
    } finally {
      this.abort();
      await this.#everythingEnded();
    }
  }

  #next(): { readonly commands: readonly Command[]; readonly wakeAt: Instant | null } {
    const { commands, wakeAt } = decide(this.#state, this.#now());
    // A run is finished when nothing of it runs any more, attempts that no longer count included.
    const due = commands.filter(({ type }) => type !== 'FinishRun' || this.#running.size === 0);
    if (!this.#stopping) return { commands: due, wakeAt };
    return { commands: due.filter(({ type }) => type === 'FinishStep' || type === 'FailStep' || type === 'FinishRun'), wakeAt: null };
  }

  async #carryOut(commands: readonly Command[]): Promise<void> {
    const events = await Promise.all(commands.map((command) => this.#eventOf(command)));
    await this.#appender.append(events);
    for (const [index, command] of commands.entries()) {
      const event = events[index];
      if (command.type !== 'StartBatch' || event?.type !== 'BatchStarted') continue;
      const origin = this.#state.steps[command.step]?.origin ?? null;
      this.#handOut({ ...command, inputs: event.data.inputs, pass: event.pass, origin });
    }
  }

  #handOut(task: BatchTask): void {
    const abort = new AbortController();
    const key = `${task.step}/${task.batch}`;
    this.#running.set(key, { task, abort });
    if (this.#abort.signal.aborted) abort.abort();
    this.#worker
      .run(task, abort.signal)
      .then(async ({ event, pause }) => {
        if (pause) this.stop({ kind: 'pause', ...pause, step: task.step, actor: this.#actor });
        try {
          await this.#appender.append([event]);
        } catch (error) {
          await this.#onLate(event).catch(() => undefined);
          throw error;
        }
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running.delete(key);
        this.#wake();
      });
  }

  async #eventOf(command: Command): Promise<NewEvent> {
    const { pass } = this.#state;
    switch (command.type) {
      case 'StartStep': {
        const isSource = this.#state.steps[command.step]?.plan.upstream.length === 0;
        const data = isSource ? await this.#worker.sourceFacts(command.step) : { count: null, origin: null };
        return { type: 'StepStarted', pass, step: command.step, data };
      }
      case 'StartBatch': {
        const { step, batch, attempt, offset, alone } = command;
        const inputs = command.again ? [...(await this.#worker.again(pass, step, batch)), ...command.inputs] : command.inputs;
        const isSource = this.#state.steps[step]?.plan.upstream.length === 0;
        const rows = isSource ? this.#worker.sourceRows(step) : command.rows;
        const data = { inputs, offset, rows, alone, worker: this.#worker.name };
        return { type: 'BatchStarted', pass, step, batch, attempt, data };
      }
      case 'FinishStep':
        return { type: 'StepFinished', pass, step: command.step, data: {} };
      case 'FailStep':
        return {
          type: 'StepFailed',
          pass,
          step: command.step,
          data: { error: { code: command.code, name: 'StepFailed', message: command.message, stack: '' } },
        };
      case 'PauseRun': {
        const { step, batch, losses } = command;
        const message =
          `batch ${batch} of step ${step} took its driver down ${losses} times while nothing else ran; ` +
          `resume tries it once more, resume --skip ${step}/${batch} gives it up`;
        return { type: 'RunPaused', data: { reason: 'poison', message, step, actor: this.#actor } };
      }
      case 'FinishRun':
        return { type: 'RunFinished', data: { outcome: command.outcome } };
    }
  }

  /** The database's clock, as its last event tells it. */
  #now(): Instant {
    return this.#clock() + this.#clockLead;
  }

  #somethingHappens(wakeAt: Instant | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = wakeAt === null ? undefined : setTimeout(() => this.#wake(), Math.max(1, Math.ceil((wakeAt - this.#now()) / 1000)));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  async #everythingEnded(): Promise<void> {
    while (this.#running.size > 0) await this.#somethingHappens(null);
  }
}

function resting({ kind, reason, message, step, actor }: StopWish): NewEvent {
  return kind === 'cancel'
    ? { type: 'RunCancelled', data: { reason: 'asked', message: storableMessage(message), actor } }
    : { type: 'RunPaused', data: { reason, message: storableMessage(message), step, actor } };
}
