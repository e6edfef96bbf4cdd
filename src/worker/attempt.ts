import type { Checkpoint, Checkpoints as MadeCheckpoints, NewEvent, Rejection, Seeds } from '../../schema/index.ts';
import { storableMessage } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import type { Clock } from '../kit/clock.ts';
import { areScopesWatched } from '../kit/error-scope.ts';
import { codeOf, hasCode, messageOf } from '../kit/fault.ts';
import { type JsonObject } from '../kit/json.ts';
import type { Redact } from '../kit/redactor.ts';
import type { ChunkStore, EventLog } from '../log/index.ts';
import type { Log, RunnableStep } from '../pipeline/index.ts';
import { documentChunk, type RowReader } from '../rows/index.ts';
import { CallScope, type BatchLink } from './call-scope.ts';
import { Checkpoints } from './checkpoints.ts';
import { FinishedRows, tellRejections, type Finished, type TellsRejections } from './finished-rows.ts';
import type { Output } from './output-writer.ts';
import type { Fuse } from './fuse.ts';
import type { JournalClock } from './journal-clock.ts';
import type { Lanes } from './lanes.ts';
import type { LoadMeter } from './load-meter.ts';
import { lookedMax, rowFailure, type PausingReason, type RowFailure } from './row-failure.ts';
import type { Resources } from './resources.ts';
import type { SourceKeys } from './source-keys.ts';
import { UsageMeter, type Consumed } from './usage-meter.ts';

/** What a worker needs of the process that it runs in. */
export interface WorkerContext {
  readonly runId: string;
  readonly seed: number;
  /** What keys and seeds are made of in this run. */
  readonly seeds: () => Promise<Seeds>;
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly reader: RowReader;
  readonly resources: Resources;
  readonly clock: Clock;
  /** Takes secrets out of a text. */
  readonly redact: Redact;
  readonly userLog: (step: string) => Log;
  /** Appends what a slow batch has done so far. */
  readonly journal: (event: NewEvent<'BatchProgressed'>) => Promise<void>;
  /** Asks for the run to pause at once: what other attempts would still begin would meet the same. */
  readonly wishPause: (wish: PauseWish) => void;
  /** Aborted when no more rows are to be handed out. */
  readonly stopping: AbortSignal;
  /** Aborted when calls in flight are not to be waited for. */
  readonly abort: AbortSignal;
  readonly lanesOf: (step: string) => Lanes;
  readonly load: LoadMeter;
  readonly journalClock: JournalClock;
  readonly fuseOf: (step: string) => Fuse;
  /** The position at which the run last paused because a step rejected too much; 0: it never did. */
  readonly reconsiderUntil: (step: string) => Promise<number>;
  /** What a source's rows come from, as it says in this process; null: it does not say. */
  readonly originOf: (step: string) => Promise<JsonObject | null>;
  /** The declared keys of a source's rows, as far as they were read. */
  readonly keysOf: (step: string) => SourceKeys;
  /** Keys that a step's rows had and nobody declared, met for the first time. */
  readonly newUndeclared: (step: string, keys: readonly string[]) => readonly string[];
}

/** One attempt at one batch, as the scheduler hands it out. */
export interface Task {
  readonly step: RunnableStep;
  readonly pass: number;
  readonly batch: number;
  readonly attempt: number;
  /** Attempts that failed before and count. */
  readonly failures: number;
  readonly inputs: NewEvent<'BatchStarted'>['data']['inputs'];
  readonly rows: number;
  readonly offset: number;
  /** What a source's rows came from when it was started. */
  readonly origin: JsonObject | null;
}

/** Why a worker asks that the whole run pauses. */
export interface PauseWish {
  readonly reason: PausingReason | 'reject-limit' | 'unhandled-rejection';
  readonly message: string;
}

/** How an attempt ended: the event that tells it, whose chunks are stored or come with it, and whether the run should pause. */
export interface Ended {
  readonly event: NewEvent<'BatchSucceeded'> | NewEvent<'BatchFailed'>;
  readonly pause: PauseWish | null;
}

/** Longest delay before another attempt, unless a provider asks for more. */
const backoffMaxMs = 5 * 60_000;
/** Doublings of that delay, however often a provider asks for less. */
const backoffDoublingsMax = 10;
/** Bytes of finished rows that are held in memory before they are written down, however early. */
const untoldBytesMax = 8 * 1024 * 1024;
/** Bytes of chunks, uncompressed, up to which an event brings them along; more are stored before it, beside what others append. */
const broughtBytesMax = 256 * 1024;

/** A provider that asks for less says nothing about a row: such a failure costs no attempt, however often it comes. */
function separated(failed: ReadonlyMap<number, RowFailure>): {
  readonly throttled: ReadonlyMap<number, RowFailure>;
  readonly others: ReadonlyMap<number, RowFailure>;
} {
  const { throttled = [], others = [] } = Object.groupBy(failed, ([, { isThrottled }]) => (isThrottled ? 'throttled' : 'others'));
  return { throttled: new Map(throttled), others: new Map(others) };
}

/** One attempt at a batch of any kind: what is done, what failed, and how to tell it. */
export class Attempt {
  readonly task: Task;
  readonly context: WorkerContext;
  readonly finished: FinishedRows;
  readonly usage: UsageMeter;
  readonly checkpoints = new Checkpoints();
  readonly #startedAt: number;
  readonly #fuse: Fuse;
  readonly #undeclared = new Set<string>();
  readonly #link: BatchLink;
  /** Errors that nothing awaited, by the row that they stem from; null: some row, or the batch. */
  readonly #unawaited = new Map<number | null, RowFailure>();
  #hasScopes = false;
  #pause: PauseWish | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(task: Task, context: WorkerContext) {
    this.task = task;
    this.context = context;
    this.usage = new UsageMeter(context.redact);
    this.finished = new FinishedRows(task.step.adds, context.chunks);
    this.#startedAt = context.clock();
    this.#fuse = context.fuseOf(task.step.name);
    this.#link = linkOf(this);
  }

  /** A scope for a call about a row, or about many rows (null). `known` is a source's, which moves on with its batches. */
  scope(row: number | null, known?: CallScope): CallScope {
    this.#hasScopes = true;
    known?.moveTo(this.#link);
    return known ?? new CallScope(this.#link, row);
  }

  /** An error that nothing awaited came, of a row whose call has ended, or of some row: it is looked at when the attempt ends. */
  loseUnawaited(row: number | null, thrown: unknown): void {
    if (!this.#unawaited.has(row)) this.#unawaited.set(row, this.failureOf(thrown));
  }

  /** Throws the error that nothing awaited, if one came; else ends what can be attributed to the attempt. For one call about all rows. */
  async throwUnawaited(): Promise<void> {
    await this.#turn();
    const [lost] = this.#unawaited.values();
    this.#unawaited.clear();
    if (lost) throw Object.assign(new Error(lost.failure.message), { ...lost.failure, retryable: lost.retryable });
    this.#link.attempt = null;
  }

  /** Reads what earlier attempts at the batch recorded, and keeps writing down what this one does. */
  async begin(): Promise<void> {
    const { step, pass, batch, attempt } = this.task;
    if (attempt > 1) {
      const events = await this.context.log.readBatch(this.context.runId, { pass, step: step.name, batch });
      const reconsiderUntil = await this.context.reconsiderUntil(step.name);
      await this.finished.recover(events, { reconsiderUntil, isInOrder: step.operator === 'source' });
      await this.checkpoints.recover(events, {
        signature: step.signature,
        chunks: this.context.chunks,
        isDone: (row) => this.finished.has(row),
      });
    }
    this.context.journalClock.add(this);
  }

  /** No more events of the attempt but its end. */
  async settle(): Promise<void> {
    this.context.journalClock.remove(this);
    await this.#writing;
  }

  /** Whether no more rows are to be handed out. */
  get isStopping(): boolean {
    return this.#pause !== null || this.context.stopping.aborted;
  }

  /** Whether the step has rejected so much that what it rejected of this batch says nothing about its rows. */
  get isStepBroken(): boolean {
    return this.#fuse.hasTripped && this.finished.hasRejections;
  }

  /** A row is done. */
  finish(row: number, finished: Finished, undeclared: readonly string[] = []): void {
    this.finished.set(row, finished);
    this.checkpoints.forget(row);
    for (const key of undeclared) this.#undeclared.add(key);
    if (finished.kind !== 'rejected') {
      this.#fuse.accepted();
      return;
    }
    const why = this.#fuse.rejected(finished.rejection.code);
    if (why === null || this.#pause) return;
    this.#wishPause({ reason: 'reject-limit', message: `step ${this.task.step.name}: ${why}: ${finished.rejection.message}` });
  }

  /** Waits until there is room in memory for more finished rows. */
  room(): Promise<void> | undefined {
    if (this.finished.untoldBytes <= untoldBytesMax) return undefined;
    this.writeDown();
    return this.#writing;
  }

  /** A row is given up. */
  reject(row: number, code: string, message: string): void {
    this.finish(row, { kind: 'rejected', rejection: this.#rejection(row, code, message) });
  }

  /** Whether a call ended only because nobody wants its result now: what it was about is as it was. */
  isGivenUp(thrown: unknown): boolean {
    const { abort, stopping } = this.context;
    return abort.aborted || (stopping.aborted && thrown === stopping.reason);
  }

  /** What a thrown value means here. A failure that pauses ends the attempt, without a row given up. */
  failureOf(thrown: unknown): RowFailure {
    const { failures, step } = this.task;
    const isLastAttempt = failures + 1 >= step.options.attempts;
    const what = rowFailure(thrown, { redact: this.context.redact, isLastAttempt, now: this.context.clock() });
    if (what.pauses) this.#wishPause({ reason: what.pauses, message: `step ${step.name}: ${what.failure.message}` });
    return what;
  }

  /** Ends the attempt after its rows were tried: `failed` are those to be tried again, `pending` how many were not done. */
  async end(failedCalls: ReadonlyMap<number, RowFailure>, undone: number): Promise<Ended> {
    await this.settle();
    const unawaited = await this.#close();
    const failed = new Map([...failedCalls, ...unawaited]);
    const pending = undone + unawaited.size;
    const { step, failures } = this.task;
    if (this.#pause || this.context.abort.aborted || (this.isStopping && pending > failed.size)) return this.#interrupted(pending);
    if (this.isStepBroken || (this.#fuse.hasTripped && failed.size > 0)) return this.#interrupted(pending);
    const { throttled, others } = separated(failed);
    if (others.size === 0 && throttled.size > 0) return this.#retried(throttled, pending, false);
    if (others.size > 0 && failures + 1 < step.options.attempts) return this.#retried(failed, pending, true);
    if (others.size > 0 && this.#rejects) {
      for (const [row, { failure }] of others) this.reject(row, failure.code, failure.message);
      if (this.#pause || this.isStepBroken) return this.#interrupted(failed.size);
      if (throttled.size > 0) return this.#retried(throttled, throttled.size, false);
    }
    const lost = this.#lostRow([...others.values()][0]);
    if (!this.#rejects && lost) return this.givenUp(lost, pending);
    return this.succeeded(null);
  }

  /** The batch's success: all of its rows, whichever attempt they come from. */
  async succeeded(source: NewEvent<'BatchSucceeded'>['data']['source'], rowsIn = this.task.rows): Promise<Ended> {
    return this.#success(await this.finished.tellAll(), { source, rowsIn, missing: [] });
  }

  /** The success of a batch whose output is not told row by row. */
  async succeededWith(
    output: Output,
    { rowsIn, missing = [] }: { readonly rowsIn: number; readonly missing?: NewEvent<'BatchSucceeded'>['data']['missing'] },
  ): Promise<Ended> {
    await this.throwUnawaited();
    return this.#success({ output, ...tellRejections([]) }, { source: null, rowsIn, missing });
  }

  /**
   * Ends what can be attributed to the attempt. Returns the rows that were done and are not, because something that their calls started came to grief:
   * rows that no event tells of yet. What is recorded stays.
   */
  async #close(): Promise<ReadonlyMap<number, RowFailure>> {
    await this.#turn();
    this.#link.attempt = null;
    const lost = new Map<number, RowFailure>();
    for (const [row, failure] of this.#unawaited) {
      const taken = this.finished.takeBack(row);
      for (const each of taken) lost.set(each, failure);
      if (taken.length === 0) this.#warn(failure.failure.message);
    }
    return lost;
  }

  /** Lets Node report rejections that have happened and that nothing awaits: it does so between turns of the event loop. */
  async #turn(): Promise<void> {
    if (this.#hasScopes && areScopesWatched()) await new Promise(setImmediate);
  }

  #warn(message: string): void {
    this.context.userLog(this.task.step.name).warn(`batch ${this.task.batch}: ${message}`);
  }

  async #success(
    { output, ...rejections }: { readonly output: Output } & TellsRejections,
    facts: Pick<NewEvent<'BatchSucceeded'>['data'], 'source' | 'rowsIn' | 'missing'>,
  ): Promise<Ended> {
    const data = {
      ...facts,
      inputs: this.task.inputs,
      rows: output.rows,
      chunkRows: output.chunkRows,
      bytes: output.bytes,
      rejected: rejections.rejected,
      elapsedMs: this.#elapsedMs(),
      undeclared: this.context.newUndeclared(this.task.step.name, [...this.#undeclared]),
    };
    return { event: await this.#event('BatchSucceeded', output, rejections, data), pause: null };
  }

  #wishPause(wish: PauseWish): void {
    if (this.#pause) return;
    this.#pause = wish;
    this.context.wishPause(wish);
  }

  /** Another attempt is to follow, after a delay that grows. */
  #retried(failed: ReadonlyMap<number, RowFailure>, pending: number, counted: boolean): Promise<Ended> {
    const all = [...failed.values()];
    const [first] = all;
    assert(first, 'something failed');
    const { options } = this.task.step;
    const tries = counted ? this.task.failures : Math.min(this.task.attempt - 1, backoffDoublingsMax);
    const backoffMs = Math.min(backoffMaxMs, options.backoffMs * 2 ** tries) * (0.5 + Math.random() / 2);
    // From when it was asked for: rows that were still under way may have taken all of that time.
    const notBefore = all.reduce((latest, failure) => Math.max(latest, failure.notBefore ?? 0), 0);
    const asked = (notBefore - this.context.clock()) / 1000;
    return this.failed(first.failure, { pending, retryInMs: Math.max(backoffMs, asked), failsStep: false, counted });
  }

  /** The batch is given up, and its step with it. */
  givenUp(failure: RowFailure['failure'], pending: number): Promise<Ended> {
    return this.failed(failure, { pending, retryInMs: null, failsStep: true, counted: true });
  }

  async #interrupted(pending: number): Promise<Ended> {
    const isBroken = this.#fuse.hasTripped;
    const before = this.finished.count;
    if (isBroken) this.finished.reconsider(this.task.step.operator === 'source');
    const undone = this.task.step.operator === 'source' ? pending + before - this.finished.count : this.task.rows - this.finished.count;
    const why = this.#pause
      ? this.#pause.message
      : this.context.abort.aborted
        ? 'the run was stopped and calls in flight aborted'
        : isBroken
          ? 'the step rejected too much, and the run was stopped'
          : 'the run was stopped';
    const code = this.#pause?.reason ?? (isBroken ? 'reject-limit' : 'interrupted');
    const failure = { code, name: 'Interrupted', message: storableMessage(why), stack: '' };
    const ended = await this.failed(failure, { pending: Math.max(0, undone), retryInMs: 0, failsStep: false, counted: false });
    return { ...ended, pause: this.#pause };
  }

  /** The attempt failed; what it finished is kept. */
  async failed(
    error: RowFailure['failure'],
    how: { readonly pending: number; readonly retryInMs: number | null; readonly failsStep: boolean; readonly counted: boolean },
  ): Promise<Ended> {
    const { output, done, ...rejections } = this.finished.tellNews();
    const checkpoints = this.checkpoints.tellNews();
    const data = {
      error,
      done,
      rows: output.rows,
      rejected: rejections.rejected,
      ...how,
      elapsedMs: this.#elapsedMs(),
      checkpoints: checkpoints.length,
    };
    return { event: await this.#event('BatchFailed', output, { ...rejections, checkpoints }, data), pause: null };
  }

  /** An attempt that broke outside of any row: its input could not be read, a resource did not open. */
  async broken(thrown: unknown): Promise<Ended> {
    await this.settle();
    this.#link.attempt = null;
    const pending = Math.max(0, this.task.rows - this.finished.count);
    if (this.isGivenUp(thrown)) return this.#interrupted(pending);
    const what = this.failureOf(thrown);
    if (what.pauses) return this.#interrupted(pending);
    const isHopeless = codeOf(thrown) === 'chunk-corrupted' || codeOf(thrown) === 'chunk-missing';
    if (isHopeless || this.task.failures + 1 >= this.task.step.options.attempts) return this.givenUp(what.failure, pending);
    return this.#retried(new Map([[0, what]]), pending, true);
  }

  /** Whether a lost row costs that row only: in a later pass it always does, for what earlier passes delivered stays. */
  get #rejects(): boolean {
    return this.task.step.options.onError === 'reject' || this.task.pass > 1;
  }

  /** Under `onError: 'fail'` the first row that was lost is the step's cause of death. */
  #lostRow(failed: RowFailure | undefined): RowFailure['failure'] | null {
    if (failed) return failed.failure;
    const [row] = this.finished.rejections();
    return row ? { code: row.code, name: 'Rejected', message: row.message, stack: '' } : null;
  }

  async #event<T extends 'BatchSucceeded' | 'BatchFailed' | 'BatchProgressed'>(
    type: T,
    output: Output,
    { rejections, checkpoints = [] }: TellsRejections & { readonly checkpoints?: readonly Checkpoint[] },
    data: Omit<NewEvent<T>['data'], 'usage' | 'calls'>,
    { usage, calls }: Consumed = this.usage.take(),
  ): Promise<NewEvent<T>> {
    const made =
      checkpoints.length > 0 ? documentChunk({ signature: this.task.step.signature, made: checkpoints } satisfies MadeCheckpoints) : null;
    const lists = [calls.length > 0 ? documentChunk(calls) : null, made, rejections].filter((chunk) => chunk !== null);
    const unstored = [...output.unstored, ...lists];
    const isBrought = unstored.reduce((sum, { bytes }) => sum + bytes.byteLength, 0) <= broughtBytesMax;
    const brings = isBrought && unstored.length > 0 ? await this.context.chunks.pack(unstored) : [];
    if (!isBrought) await this.context.chunks.put(unstored);
    const { step, pass, batch, attempt } = this.task;
    const all = { ...data, usage, calls: calls.length };
    const chunks = [...output.addresses, ...lists.map(({ sha256 }) => sha256)];
    return { type, pass, step: step.name, batch, attempt, chunks, brings, data: all } as unknown as NewEvent<T>;
  }

  /** Whether anything was finished or paid for that no event contains. */
  get hasNews(): boolean {
    // A call that gave no row yet was paid for all the same.
    return this.finished.untold > 0 || this.usage.untold > 0 || this.checkpoints.untold > 0;
  }

  /** Appends what is new as `BatchProgressed`. */
  writeDown(): void {
    if (!this.hasNews) return;
    const { output, done, ...rejections } = this.finished.tellNews();
    const checkpoints = this.checkpoints.tellNews();
    const data = { done, rows: output.rows, rejected: rejections.rejected, checkpoints: checkpoints.length };
    const consumed = this.usage.take();
    // One after the other: an attempt's events stand in the order in which its rows were finished.
    this.#writing = this.#writing.then(async () => {
      const event = await this.#event('BatchProgressed', output, { ...rejections, checkpoints }, data, consumed);
      await this.context.journal(event).catch((error: unknown) => {
        this.context.journalClock.remove(this);
        // The run is another process's: the attempt's end will be refused too, and then all that it cost is told beside the log.
        if (!hasCode(error, 'fenced') && !hasCode(error, 'history-diverged')) throw error;
        this.usage.giveBack(consumed);
      });
    });
    this.#writing.then(
      () => this.context.load.notify(this.task.step.name),
      () => this.context.journalClock.remove(this),
    );
  }

  #rejection(row: number, code: string, message: string): Rejection {
    return { row, code, message: storableMessage(this.context.redact(message, lookedMax)), attempts: this.task.failures + 1 };
  }

  #elapsedMs(): number {
    return Math.max(0, (this.context.clock() - this.#startedAt) / 1000);
  }
}

/** What an attempt's calls hold of it. */
function linkOf(attempt: Attempt): BatchLink {
  const { context, task } = attempt;
  const step = task.step.name;
  const place = `batch ${task.batch} of step ${step}`;
  return {
    attempt,
    late: (thrown) => {
      const message = `an error that nothing awaited came after ${place} had ended: ${context.redact(messageOf(thrown))}`;
      // The run may have nothing left to do, and end all the same.
      context.userLog(step).warn(message);
      context.wishPause({ reason: 'unhandled-rejection', message });
    },
    ignored: (thrown) =>
      context.userLog(step).warn(`${place}: after its call had failed, this came, and nothing awaited it: ${messageOf(thrown)}`),
  };
}
