import type { GraphState } from '../../projections/index.ts';
import type { Actor, NewEvent, RecordedEvent } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import { parseInstant, type Instant } from '../kit/instant.ts';
import { Alarm } from './alarm.ts';
import { commandEvent } from './command-events.ts';
import type { Command } from './commands.ts';
import { decide } from './decide.ts';
import { EndQueue, type RunningTask, type TaskEnd } from './end-queue.ts';
import { eventFacts } from './event-facts.ts';
import { evolveUnrecorded } from './evolve-unrecorded.ts';
import { isMoot } from './open-batches.ts';
import { callsWanted } from './room.ts';
import { stopEvent, type StopWish } from './stop-wish.ts';
import type { BatchEnd, DriverPort, PauseWish, Worker } from './worker-port.ts';

/** Appends a driver's events, in order: each call is durable when it resolves. `log.openAppender` makes one. */
export interface Appender {
  append(events: readonly NewEvent[]): Promise<readonly RecordedEvent[]>;
}

/** How a run came to rest. */
export type Rest = 'succeeded' | 'partial' | 'failed' | 'paused' | 'cancelled';

export interface DriverParts {
  readonly state: GraphState;
  readonly appender: Appender;
  readonly makeWorker: (driver: DriverPort) => Worker;
  readonly actor: Actor;
  readonly clock: Clock;
  /** Returns the event of a new pass over the rows that these steps owe, or null if there are none. */
  readonly reopen: (graph: GraphState, steps: readonly string[]) => Promise<NewEvent<'RunReopened'> | null>;
  /** Receives the end of a batch that could not be appended, because another process drives the run now. */
  readonly onLate: (event: BatchEnd['event']) => Promise<void>;
}

/** Commands, and when to decide again even if nothing happens. */
type Decision = Pick<ReturnType<typeof decide>, 'commands' | 'wakeAt'>;

/**
 * Moves one run: folds recorded events, calls `decide`, appends, and hands out tasks. Recovery is not a special path: a driver starts from any state that
 * the log folds to.
 *
 * One append is in flight at a time. It holds the ends of batches and the events of the commands that follow from them. The commands are decided before
 * the ends are recorded, recorded together with them or not at all, and carried out once durable. Ends that arrive meanwhile go into the next append.
 *
 * `onRecorded` must be called with every recorded event, in order, before the call that appended it resolves. `run` resolves when the run is at rest, and
 * throws when its appender has lost the log.
 */
export class Driver implements DriverPort {
  readonly #appender: Appender;
  readonly #worker: Worker;
  readonly #actor: Actor;
  readonly #clock: Clock;
  readonly #reopen: DriverParts['reopen'];
  readonly #onLate: (event: BatchEnd['event']) => Promise<void>;
  readonly #running = new Set<RunningTask>();
  readonly #abort = new AbortController();
  readonly #ends = new EndQueue();
  readonly #alarm = new Alarm();
  #state: GraphState;
  /** The last state that called for no command. It calls for none until another event is recorded. */
  #quietState: GraphState | null = null;
  /** Steps whose batches wait for free lanes, according to the last decision. */
  #waitingForLanes: ReadonlySet<string> = new Set();
  #clockLead: Instant = 0;
  #stopping: StopWish | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(parts: DriverParts) {
    this.#state = parts.state;
    this.#appender = parts.appender;
    this.#actor = parts.actor;
    this.#clock = parts.clock;
    this.#reopen = parts.reopen;
    this.#onLate = parts.onLate;
    this.#worker = parts.makeWorker(this);
  }

  /** The graph as of the last recorded event. */
  get state(): GraphState {
    return this.#state;
  }

  /** Receives recorded events with the graph after them, ends tasks that no longer count, and passes the events to the worker. */
  onRecorded(events: readonly RecordedEvent[], state: GraphState): void {
    this.#state = state;
    const last = events.at(-1);
    if (last) this.#clockLead = parseInstant(last.recordedAt) - this.#clock();
    for (const { task, abort } of this.#running) {
      const step = this.#state.steps[task.step];
      if (step && isMoot(step, task.batch)) abort.abort();
    }
    this.#alarm.wake();
    this.#worker.onRecorded(events);
  }

  async recordProgress(event: NewEvent<'BatchProgressed'>): Promise<void> {
    await this.#appender.append([event]);
  }

  wishPause(step: string | null, wish: PauseWish): void {
    this.stop({ kind: 'pause', ...wish, step, actor: this.#actor });
  }

  freeLanes(step: string): void {
    if (!this.#waitingForLanes.has(step)) return;
    const concurrency = this.#state.steps[step]?.plan.concurrency ?? 0;
    if (this.#worker.load.unfinishedOf(step) >= callsWanted(concurrency)) return;
    this.#quietState = null;
    this.#alarm.wake();
  }

  /** Starts no more calls, waits for those in flight, and puts the run at rest. The first wish counts. */
  stop(wish: StopWish): void {
    this.#stopping ??= wish;
    this.#worker.stop();
    if (wish.kind === 'cancel') this.abort();
    this.#alarm.wake();
  }

  /** Ends calls in flight without waiting for them. */
  abort(): void {
    this.#abort.abort();
    for (const { abort } of this.#running) abort.abort();
  }

  /** Closes the worker. */
  close(): Promise<void> {
    return this.#worker.close();
  }

  /** Moves the run until it is at rest. */
  async run(): Promise<Rest> {
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.error;
        const { status } = this.#state;
        if (status !== 'running') return status as Rest;
        const ends = this.#ends.take();
        const { commands, wakeAt } = this.#decideAfter(ends);
        if (ends.length > 0 || commands.length > 0) await this.#carryOut(ends, commands);
        else if (this.#stopping && this.#running.size === 0) await this.#append([stopEvent(this.#stopping)]);
        else await this.#alarm.wait(wakeAt === null ? null : (wakeAt - this.#now()) / 1000);
      }
    } finally {
      this.abort();
      await this.#drain();
    }
  }

  /** Decides on the state after ends that are not recorded yet. If that throws, puts them back to be appended. */
  #decideAfter(ends: readonly TaskEnd[]): Decision {
    try {
      return this.#decide(ends.reduce((state, { event }) => evolveUnrecorded(state, event), this.#state));
    } catch (error) {
      this.#ends.putBack(ends);
      throw error;
    }
  }

  #decide(graph: GraphState): Decision {
    if (graph === this.#quietState) return { commands: [], wakeAt: null };
    const { commands, wakeAt, waitingForLanes } = decide(graph, this.#now(), this.#worker.load);
    this.#waitingForLanes = waitingForLanes;
    if (commands.length === 0 && wakeAt === null) this.#quietState = graph;
    // A run is finished once no attempt runs any more, not even one that no longer counts.
    const due = commands.filter(({ type }) => type !== 'FinishRun' || this.#running.size === 0);
    if (!this.#stopping) return { commands: due, wakeAt };
    return { commands: due.filter(({ type }) => type === 'FinishStep' || type === 'FailStep' || type === 'FinishRun'), wakeAt: null };
  }

  /** Appends ends together with the events of commands. Started batches are handed out once that is durable. */
  async #carryOut(ends: readonly TaskEnd[], commands: readonly Command[]): Promise<void> {
    const events = await Promise.all(commands.map((command) => this.#eventsOf(command))).catch((error: unknown) => {
      this.#failure ??= { error };
      return [];
    });
    const started = commands.flatMap((command, index) => this.#startTask(command, events[index]?.[0]) ?? []);
    const isRecorded = await this.#append([...ends.map(({ event }) => event), ...events.flat()]);
    if (!isRecorded) await this.#appendAlone(ends);
    for (const { running } of ends) this.#running.delete(running);
    for (const running of started) {
      if (isRecorded) void this.#handOut(running);
      else this.#running.delete(running);
    }
  }

  /** Appends one by one ends that were refused together. Perhaps only one of them, or a command's event, was at fault, and the calls of the others were paid for, too. */
  async #appendAlone(ends: readonly TaskEnd[]): Promise<void> {
    for (const { event } of ends) if (!(await this.#append([event]))) await this.#onLate(event).catch(() => undefined);
  }

  /** Appends events and returns whether they were recorded. If not, the run ends with the error. */
  async #append(events: readonly NewEvent[]): Promise<boolean> {
    try {
      await this.#appender.append(events);
      return true;
    } catch (error) {
      this.#failure ??= { error };
      return false;
    }
  }

  /** Returns the task that a command starts, or undefined. The run is not at rest from now on. */
  #startTask(command: Command, event: NewEvent | undefined): RunningTask | undefined {
    if (command.type !== 'StartBatch' || event?.type !== 'BatchStarted') return undefined;
    const running = { task: { ...command, inputs: event.data.inputs, pass: event.pass }, abort: new AbortController() };
    this.#running.add(running);
    if (this.#abort.signal.aborted) running.abort.abort();
    return running;
  }

  async #handOut(running: RunningTask): Promise<void> {
    const { abort } = running;
    const task = { ...running.task, origin: this.#state.steps[running.task.step]?.origin ?? null };
    try {
      const { event, pause } = await this.#worker.run(task, abort.signal);
      if (pause) this.wishPause(task.step, pause);
      this.#ends.push({ running, event });
    } catch (error) {
      this.#failure ??= { error };
      this.#running.delete(running);
    }
    this.#alarm.wake();
  }

  /** Returns a command's events. If rows are owed at the end of a pass, the next pass begins in the same append, so the run is never over without them. */
  async #eventsOf(command: Command): Promise<readonly NewEvent[]> {
    const event = commandEvent(command, await eventFacts(command, this.#state, this.#worker, this.#actor));
    if (command.type !== 'FinishRun' || command.reopens === undefined) return [event];
    const reopened = await this.#reopen(this.#state, command.reopens);
    return reopened ? [event, reopened] : [event];
  }

  /** Returns the time of the database's clock, estimated from the last recorded event. */
  #now(): Instant {
    return this.#clock() + this.#clockLead;
  }

  /** Waits for the tasks that still run, and appends their ends if possible. */
  async #drain(): Promise<void> {
    while (this.#running.size > 0) {
      const ends = this.#ends.take();
      if (ends.length > 0) await this.#carryOut(ends, []);
      else await this.#alarm.wait(null);
    }
  }
}
