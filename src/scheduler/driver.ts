import { graph, type GraphState } from '../../projections/index.ts';
import { storableMessage, type Actor, type NewEvent, type PauseReason, type RecordedEvent } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import { parseInstant, type Instant } from '../kit/instant.ts';
import type { Command } from './commands.ts';
import { decide } from './decide.ts';
import { isMoot } from './open-batches.ts';
import { callsWanted } from './room.ts';
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
  /** What a new pass over rows that these steps are owed consists of; null: there are none. */
  readonly reopen: (graph: GraphState, steps: readonly string[]) => Promise<NewEvent<'RunReopened'> | null>;
  /** Told of an attempt's end that could not be appended, because the run is another process's by now. */
  readonly onLate: (event: BatchEnd['event']) => Promise<void>;
}

/** Ends in one append, and compressed bytes of the chunks that they bring, unless a single one brings more. */
const appendEndsMax = 200;
const appendBytesMax = 1024 * 1024;

/** Longest time that a timer can be set to: a longer one would be over at once. */
const timerMaxMs = 2 ** 31 - 1;

/** An attempt whose start is appended, and whose end is not recorded yet. */
interface Attempt {
  readonly task: Omit<BatchTask, 'origin'>;
  readonly abort: AbortController;
}

/** How one ended. */
interface End {
  readonly attempt: Attempt;
  readonly event: BatchEnd['event'];
}

/** Commands, and when there is something to decide even if nothing happens. */
interface Called {
  readonly commands: readonly Command[];
  readonly wakeAt: Instant | null;
}

/**
 * Moves one run: folds what is recorded, asks `decide`, appends, hands out. Recovery is not a special path: a driver starts from whatever state the
 * log folds to.
 *
 * One append is under way at a time, and holds the ends of batches with all that they call for: decided before they are recorded, recorded together or
 * not at all, and handed out once durable. Ends that come meanwhile go with the next.
 *
 * `evolve` must be called with every recorded event, in order, before the call that appended it resolves; `run` ends when the run is at rest, and
 * throws when its appender has lost the log.
 */
export class Driver {
  readonly #appender: Appender;
  readonly #worker: Worker;
  readonly #actor: Actor;
  readonly #clock: Clock;
  readonly #reopen: DriverParts['reopen'];
  readonly #onLate: (event: BatchEnd['event']) => Promise<void>;
  readonly #running = new Set<Attempt>();
  readonly #abort = new AbortController();
  /** Ends that are not appended yet. */
  readonly #ends: End[] = [];
  #state: GraphState;
  /** What called for nothing when it was last decided on, and does as long as no event comes. */
  #quiet: GraphState | null = null;
  /** Steps whose batches wait for free lanes, as last decided. */
  #short: ReadonlySet<string> = new Set();
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
    this.#reopen = given.reopen;
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
    for (const { task, abort } of this.#running) {
      const step = this.#state.steps[task.step];
      if (step && isMoot(step, task.batch)) abort.abort();
    }
    this.#wake();
  }

  /** Is called when calls of a step ended: lanes may stand idle that another batch could fill. */
  freed(step: string): void {
    if (!this.#short.has(step)) return;
    const concurrency = this.#state.steps[step]?.plan.concurrency ?? 0;
    if (this.#worker.load.unfinishedOf(step) >= callsWanted(concurrency)) return;
    this.#quiet = null;
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
    for (const { abort } of this.#running) abort.abort();
  }

  /** Moves the run until it is at rest. */
  async run(): Promise<Rest> {
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.error;
        const { status } = this.#state;
        if (status !== 'running') return status as Rest;
        const ends = this.#takeEnds();
        const { commands, wakeAt } = this.#calledForBy(ends);
        if (ends.length > 0 || commands.length > 0) await this.#carryOut(ends, commands);
        else if (this.#stopping && this.#running.size === 0) await this.#append([resting(this.#stopping)]);
        else await this.#somethingHappens(wakeAt);
      }
    } finally {
      this.abort();
      await this.#everythingEnded();
    }
  }

  /** What ends call for. Should that go wrong, they are still there to be appended. */
  #calledForBy(ends: readonly End[]): Called {
    try {
      return this.#next(ends.reduce(expected, this.#state));
    } catch (error) {
      this.#ends.unshift(...ends);
      throw error;
    }
  }

  #next(graph: GraphState): Called {
    if (graph === this.#quiet) return { commands: [], wakeAt: null };
    const { commands, wakeAt, short } = decide(graph, this.#now(), this.#worker.load);
    this.#short = short;
    if (commands.length === 0 && wakeAt === null) this.#quiet = graph;
    // A run is finished when nothing of it runs any more, attempts that no longer count included.
    const due = commands.filter(({ type }) => type !== 'FinishRun' || this.#running.size === 0);
    if (!this.#stopping) return { commands: due, wakeAt };
    return { commands: due.filter(({ type }) => type === 'FinishStep' || type === 'FailStep' || type === 'FinishRun'), wakeAt: null };
  }

  /** Takes ends for the next append: all of them, unless they are large. */
  #takeEnds(): readonly End[] {
    let bytes = 0;
    const count = this.#ends.findIndex(({ event }, index) => {
      bytes += event.brings?.reduce((sum, { body }) => sum + body.byteLength, 0) ?? 0;
      return index > 0 && (bytes > appendBytesMax || index >= appendEndsMax);
    });
    return this.#ends.splice(0, count === -1 ? this.#ends.length : count);
  }

  /** Appends ends together with what they call for. Batches that are started are handed out once that is durable. */
  async #carryOut(ends: readonly End[], commands: readonly Command[]): Promise<void> {
    const events = await Promise.all(commands.map((command) => this.#eventsOf(command))).catch((error: unknown) => {
      this.#failure ??= { error };
      return [];
    });
    const started = commands.flatMap((command, index) => this.#attempt(command, events[index]?.[0]) ?? []);
    const isRecorded = await this.#append([...ends.map(({ event }) => event), ...events.flat()]);
    if (!isRecorded) await this.#appendAlone(ends);
    for (const { attempt } of ends) this.#running.delete(attempt);
    for (const attempt of started) {
      if (isRecorded) void this.#handOut(attempt);
      else this.#running.delete(attempt);
    }
  }

  /** Ends that were refused together, perhaps for the sake of one of them, or of what followed: the others were paid for, too. */
  async #appendAlone(ends: readonly End[]): Promise<void> {
    for (const { event } of ends) if (!(await this.#append([event]))) await this.#onLate(event).catch(() => undefined);
  }

  /** Whether events were recorded; if not, the run ends with why. */
  async #append(events: readonly NewEvent[]): Promise<boolean> {
    try {
      await this.#appender.append(events);
      return true;
    } catch (error) {
      this.#failure ??= { error };
      return false;
    }
  }

  /** The attempt that a command starts, if it does. From now on the run is not at rest. */
  #attempt(command: Command, event: NewEvent | undefined): Attempt | undefined {
    if (command.type !== 'StartBatch' || event?.type !== 'BatchStarted') return undefined;
    const attempt = { task: { ...command, inputs: event.data.inputs, pass: event.pass }, abort: new AbortController() };
    this.#running.add(attempt);
    if (this.#abort.signal.aborted) attempt.abort.abort();
    return attempt;
  }

  async #handOut(attempt: Attempt): Promise<void> {
    const { abort } = attempt;
    const task = { ...attempt.task, origin: this.#state.steps[attempt.task.step]?.origin ?? null };
    try {
      const { event, pause } = await this.#worker.run(task, abort.signal);
      if (pause) this.stop({ kind: 'pause', ...pause, step: task.step, actor: this.#actor });
      this.#ends.push({ attempt, event });
    } catch (error) {
      this.#failure ??= { error };
      this.#running.delete(attempt);
    }
    this.#wake();
  }

  /** A pass that ends and owes rows is followed by another in the same append: at no moment is the run over without them. */
  async #eventsOf(command: Command): Promise<readonly NewEvent[]> {
    const event = await this.#eventOf(command);
    if (command.type !== 'FinishRun' || command.reopens === undefined) return [event];
    const reopened = await this.#reopen(this.#state, command.reopens);
    return reopened ? [event, reopened] : [event];
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
      const timer =
        wakeAt === null
          ? undefined
          : setTimeout(() => this.#wake(), Math.min(timerMaxMs, Math.max(1, Math.ceil((wakeAt - this.#now()) / 1000))));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  /** Ends with what is still under way: what comes of it is appended, if that can be. */
  async #everythingEnded(): Promise<void> {
    while (this.#running.size > 0) {
      const ends = this.#takeEnds();
      if (ends.length > 0) await this.#carryOut(ends, []);
      else await this.#somethingHappens(null);
    }
  }
}

/** A state after an end that is not recorded yet. When a failure's delay begins only its record says: until then nothing follows from it. */
const expected = (state: GraphState, { event }: End): GraphState =>
  event.type === 'BatchFailed' ? state : graph.evolve(state, asRecorded(event));

/** An event as it is folded before it is recorded. */
const asRecorded = (event: NewEvent): RecordedEvent =>
  ({ ...event, logId: '', position: 0, recordedAt: '', chunks: event.chunks ?? [] }) as unknown as RecordedEvent;

function resting({ kind, reason, message, step, actor }: StopWish): NewEvent {
  return kind === 'cancel'
    ? { type: 'RunCancelled', data: { reason: 'asked', message: storableMessage(message), actor } }
    : { type: 'RunPaused', data: { reason, message: storableMessage(message), step, actor } };
}
