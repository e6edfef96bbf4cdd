import { storableMessage, type Failure } from '../../schema/index.ts';
import { codeOf } from '../kit/fault.ts';
import type { BatchEnd, PauseWish } from '../scheduler/index.ts';
import { AttemptJournal } from './attempt-journal.ts';
import {
  firstFailure,
  interruption,
  retryDelayMs,
  settle,
  settleBroken,
  settleRejected,
  type AttemptFacts,
  type FailedRows,
  type Verdict,
} from './attempt-policy.ts';
import { recoverRecords, type AttemptRecords } from './attempt-records.ts';
import { failureEnd, successEnd, type FailureFacts, type SuccessFacts } from './batch-end.ts';
import { batchLink } from './batch-link.ts';
import type { CallScope } from './call-scope.ts';
import { Checkpoints } from './checkpoints.ts';
import { FinishedRows, type Finished, type RecordedOutput } from './finished-rows.ts';
import type { Fuse } from './fuse.ts';
import type { BatchOutput } from './output-writer.ts';
import { encodeRejections } from './rejection-list.ts';
import { lookedMax, rowFailure, type RowFailure } from './row-failure.ts';
import type { RunnableTask } from './runnable-task.ts';
import { UnawaitedErrors } from './unawaited-errors.ts';
import { UsageMeter } from './usage-meter.ts';
import type { WorkerContext } from './worker-context.ts';

/** One attempt at a batch of any kind: its rows that are done, its failures, and its end. */
export class Attempt implements AttemptRecords {
  readonly task: RunnableTask;
  readonly context: WorkerContext;
  readonly finished: FinishedRows;
  readonly usage: UsageMeter;
  readonly checkpoints = new Checkpoints();
  readonly #journal: AttemptJournal;
  readonly #startedAt: number;
  readonly #fuse: Fuse;
  readonly #undeclared = new Set<string>();
  readonly #unawaited: UnawaitedErrors;
  #pause: PauseWish | null = null;

  constructor(task: RunnableTask, context: WorkerContext) {
    this.task = task;
    this.context = context;
    this.usage = new UsageMeter(context.redact);
    this.finished = new FinishedRows(task.step.adds, context.chunks);
    this.#journal = new AttemptJournal(this);
    this.#startedAt = context.clock();
    this.#fuse = context.fuseOf(task.step.name);
    this.#unawaited = new UnawaitedErrors(batchLink(task, context, this));
  }

  /** Returns a scope for a call about a row, or about many rows (null). `known` is a source's, which moves on with its batches. */
  scope(row: number | null, known?: CallScope): CallScope {
    return this.#unawaited.scope(row, known);
  }

  /** Notes an error that nothing awaited, of a row whose call has ended, or of some row (null). It is looked at when the attempt ends. */
  loseUnawaited(row: number | null, thrown: unknown): void {
    this.#unawaited.add(row, () => this.failureOf(thrown));
  }

  /** Throws the error that nothing awaited, if one came. Else later errors are not the attempt's. For one call about all rows. */
  throwUnawaited(): Promise<void> {
    return this.#unawaited.throwFirst();
  }

  /** Reads what earlier attempts at the batch recorded, and starts the journal. */
  async begin(): Promise<void> {
    if (this.task.attempt > 1) await recoverRecords(this);
    this.#journal.start();
  }

  /** Ends the journal: the attempt's only event to come is its end. */
  closeJournal(): Promise<void> {
    return this.#journal.stop();
  }

  /** Whether no more rows are to be handed out. */
  get isStopping(): boolean {
    return this.#pause !== null || this.context.stopping.aborted;
  }

  /** Whether the step has rejected so much that what it rejected of this batch says nothing about its rows. */
  get isStepBroken(): boolean {
    return this.#fuse.hasTripped && this.finished.hasRejections;
  }

  /** Finishes a row. */
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

  /** Returns a promise to await before another row is finished, where memory is short. */
  room(): Promise<void> | undefined {
    return this.#journal.makeRoom();
  }

  /** Rejects a row. */
  reject(row: number, code: string, message: string): void {
    const redacted = storableMessage(this.context.redact(message, lookedMax));
    this.finish(row, { kind: 'rejected', rejection: { row, code, message: redacted, attempts: this.task.failures + 1 } });
  }

  /** Whether a call was aborted or stopped rather than failed: its row stays pending. */
  isGivenUp(thrown: unknown): boolean {
    const { abort, stopping } = this.context;
    return abort.aborted || (stopping.aborted && thrown === stopping.reason);
  }

  /** Returns what a thrown value means for its row. A failure that pauses the run ends the attempt, and rejects no row. */
  failureOf(thrown: unknown): RowFailure {
    const { failures, step } = this.task;
    const isLastAttempt = failures + 1 >= step.options.attempts;
    const what = rowFailure(thrown, { redact: this.context.redact, isLastAttempt, now: this.context.clock() });
    if (what.pauses) this.#wishPause({ reason: what.pauses, message: `step ${step.name}: ${what.failure.message}` });
    return what;
  }

  /** Ends the attempt after its rows were tried. `failedCalls`: rows to retry. `undone`: how many rows are not done, those included. */
  async end(failedCalls: FailedRows, undone: number): Promise<BatchEnd> {
    await this.closeJournal();
    const unawaited = await this.#takeUnawaited();
    const verdict = settle(this.#facts(new Map([...failedCalls, ...unawaited]), undone + unawaited.size));
    if (verdict.kind !== 'reject') return this.#carryOut(verdict);
    for (const [row, { failure }] of verdict.rows) this.reject(row, failure.code, failure.message);
    return this.#carryOut(settleRejected(verdict, { isPausing: this.#pause !== null, hasTripped: this.#fuse.hasTripped }));
  }

  /** Ends an attempt that broke outside of any row: its input could not be read, or a resource did not open. */
  async broken(thrown: unknown): Promise<BatchEnd> {
    await this.closeJournal();
    this.#unawaited.detach();
    const pending = Math.max(0, this.task.rows - this.finished.count);
    if (this.isGivenUp(thrown)) return this.#interrupted(pending);
    const { failures, step } = this.task;
    const isHopeless = codeOf(thrown) === 'chunk-corrupted' || codeOf(thrown) === 'chunk-missing';
    const failure = this.failureOf(thrown);
    return this.#carryOut(settleBroken({ failure, pending, failures, attemptsMax: step.options.attempts, isHopeless }));
  }

  /** Ends the batch with success: all of its rows, from any attempt. */
  async succeeded(source: SuccessFacts['source'], rowsIn = this.task.rows): Promise<BatchEnd> {
    return this.#success(await this.finished.takeAll(), { source, rowsIn, missing: [] });
  }

  /** Ends a batch with success whose output is not finished row by row. */
  async succeededWith(
    output: BatchOutput,
    { rowsIn, missing = [] }: { readonly rowsIn: number; readonly missing?: SuccessFacts['missing'] },
  ): Promise<BatchEnd> {
    await this.throwUnawaited();
    return this.#success({ output, ...encodeRejections([]) }, { source: null, rowsIn, missing });
  }

  /** Gives the batch up, and its step with it. */
  givenUp(failure: Failure, pending: number): Promise<BatchEnd> {
    return this.#failed(failure, { pending, retryInMs: null, failsStep: true, counted: true });
  }

  #facts(failed: FailedRows, pending: number): AttemptFacts {
    const { step, failures, pass } = this.task;
    return {
      failed,
      pending,
      failures,
      attemptsMax: step.options.attempts,
      // In a later pass a lost row never fails its step: what earlier passes delivered stays.
      rejects: step.options.onError === 'reject' || pass > 1,
      isPausing: this.#pause !== null,
      isAborted: this.context.abort.aborted,
      isStopping: this.isStopping,
      hasTripped: this.#fuse.hasTripped,
      rejection: this.finished.rejections()[0],
    };
  }

  #carryOut(verdict: Verdict): Promise<BatchEnd> {
    switch (verdict.kind) {
      case 'succeed':
        return this.succeeded(null);
      case 'interrupt':
        return this.#interrupted(verdict.pending);
      case 'giveUp':
        return this.givenUp(verdict.failure, verdict.pending);
      case 'retry': {
        const { failed, pending, counted } = verdict;
        const { attempt, failures, step } = this.task;
        const { backoffMs } = step.options;
        const retryInMs = retryDelayMs({ failed, counted, attempt, failures, backoffMs, now: this.context.clock(), random: Math.random() });
        return this.#failed(firstFailure(failed), { pending, retryInMs, failsStep: false, counted });
      }
    }
  }

  async #interrupted(pending: number): Promise<BatchEnd> {
    const isSource = this.task.step.operator === 'source';
    const { hasTripped } = this.#fuse;
    const before = this.finished.count;
    if (hasTripped) this.finished.reconsider(isSource);
    const undone = isSource ? pending + before - this.finished.count : this.task.rows - this.finished.count;
    const failure = interruption(this.#pause, { isAborted: this.context.abort.aborted, hasTripped });
    const end = await this.#failed(failure, { pending: Math.max(0, undone), retryInMs: 0, failsStep: false, counted: false });
    return { ...end, pause: this.#pause };
  }

  #failed(error: Failure, facts: Omit<FailureFacts, 'elapsedMs'>): Promise<BatchEnd> {
    return failureEnd(this, error, { ...facts, elapsedMs: this.#elapsedMs() });
  }

  #success(recorded: RecordedOutput, facts: Pick<SuccessFacts, 'source' | 'rowsIn' | 'missing'>): Promise<BatchEnd> {
    const undeclared = this.context.newUndeclared(this.task.step.name, [...this.#undeclared]);
    return successEnd(this, recorded, { ...facts, elapsedMs: this.#elapsedMs(), undeclared });
  }

  /** Takes back finished rows that no event contains and whose calls started something that failed. Returns them: they are to be retried. */
  async #takeUnawaited(): Promise<FailedRows> {
    const lost = new Map<number, RowFailure>();
    for (const [row, failure] of await this.#unawaited.close()) {
      const taken = this.finished.takeBack(row);
      for (const each of taken) lost.set(each, failure);
      if (taken.length === 0) this.context.userLog(this.task.step.name).warn(`batch ${this.task.batch}: ${failure.failure.message}`);
    }
    return lost;
  }

  #wishPause(wish: PauseWish): void {
    if (this.#pause) return;
    this.#pause = wish;
    this.context.wishPause(wish);
  }

  #elapsedMs(): number {
    return Math.max(0, (this.context.clock() - this.#startedAt) / 1000);
  }
}
