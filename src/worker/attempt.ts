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
import type { RejectLimit } from './reject-limit.ts';
import type { BatchOutput } from './output-writer.ts';
import { encodeRejections } from './rejection-list.ts';
import { redactedLengthMax, rowFailure, type RowFailure } from './row-failure.ts';
import type { RunnableTask } from './runnable-task.ts';
import { UnawaitedErrors } from './unawaited-errors.ts';
import { UsageMeter } from './usage-meter.ts';
import type { WorkerContext } from './worker-context.ts';

/** One attempt at a batch of any operator: its finished rows, its failures, and its end. */
export class Attempt implements AttemptRecords {
  readonly task: RunnableTask;
  readonly context: WorkerContext;
  readonly finished: FinishedRows;
  readonly usage: UsageMeter;
  readonly checkpoints = new Checkpoints();
  readonly #journal: AttemptJournal;
  readonly #startedAt: number;
  readonly #rejectLimit: RejectLimit;
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
    this.#rejectLimit = context.rejectLimitOf(task.step.name);
    this.#unawaited = new UnawaitedErrors(batchLink(task, context, this));
  }

  /** Returns the error scope of a call for one row, or for many rows (null). `sourceScope` is the scope of an open source, which moves to its next batch. */
  scope(row: number | null, sourceScope?: CallScope): CallScope {
    return this.#unawaited.scope(row, sourceScope);
  }

  /** Keeps an unawaited error of a row whose call has ended, or of an unknown row (null). It is handled when the attempt ends. */
  captureUnawaited(row: number | null, thrown: unknown): void {
    this.#unawaited.add(row, () => this.failureOf(thrown));
  }

  /** Throws the first unawaited error. If there is none, detaches the attempt from later ones. Used when one call gets all rows. */
  throwUnawaited(): Promise<void> {
    return this.#unawaited.throwFirst();
  }

  /** Reads what earlier attempts at the batch recorded, and starts the journal. */
  async begin(): Promise<void> {
    if (this.task.attempt > 1) await recoverRecords(this);
    this.#journal.start();
  }

  /** Stops the journal. The only event that follows is the attempt's end. */
  closeJournal(): Promise<void> {
    return this.#journal.stop();
  }

  /** Whether the attempt starts no more rows. */
  get isStopping(): boolean {
    return this.#pause !== null || this.context.stopping.aborted;
  }

  /** Whether the step has reached its reject limit, so that its rejections in this batch say nothing about the rows. */
  get isStepBroken(): boolean {
    return this.#rejectLimit.isReached && this.finished.hasRejections;
  }

  /** Finishes a row. */
  finish(row: number, finished: Finished, undeclared: readonly string[] = []): void {
    this.finished.set(row, finished);
    this.checkpoints.forget(row);
    for (const key of undeclared) this.#undeclared.add(key);
    if (finished.kind !== 'rejected') {
      this.#rejectLimit.countAccepted();
      return;
    }
    const reason = this.#rejectLimit.countRejected(finished.rejection.code);
    if (reason === null || this.#pause) return;
    this.#wishPause({ reason: 'reject-limit', message: `step ${this.task.step.name} ${reason}: ${finished.rejection.message}` });
  }

  /** Records finished rows early if they take too much memory. Returns a promise to await in that case. */
  makeRoom(): Promise<void> | undefined {
    return this.#journal.makeRoom();
  }

  /** Rejects a row. */
  reject(row: number, code: string, message: string): void {
    const redacted = storableMessage(this.context.redact(message, redactedLengthMax));
    this.finish(row, { kind: 'rejected', rejection: { row, code, message: redacted, attempts: this.task.failures + 1 } });
  }

  /** Whether a call was aborted or stopped rather than failed. Its row then stays pending. */
  isInterruption(thrown: unknown): boolean {
    const { abort, stopping } = this.context;
    return abort.aborted || (stopping.aborted && thrown === stopping.reason);
  }

  /** Returns the consequence of a thrown value for its row. A failure that pauses the run ends the attempt and rejects no row. */
  failureOf(thrown: unknown): RowFailure {
    const { failures, step } = this.task;
    const isLastAttempt = failures + 1 >= step.options.attempts;
    const failure = rowFailure(thrown, { redact: this.context.redact, isLastAttempt, now: this.context.clock() });
    if (failure.pauses) this.#wishPause({ reason: failure.pauses, message: `step ${step.name}: ${failure.failure.message}` });
    return failure;
  }

  /** Ends the attempt after its rows were tried. `failedCalls`: rows to retry. `pending`: number of rows that are not done, those included. */
  async end(failedCalls: FailedRows, pending: number): Promise<BatchEnd> {
    await this.closeJournal();
    const unawaited = await this.#takeBackUnawaited();
    const verdict = settle(this.#facts(new Map([...failedCalls, ...unawaited]), pending + unawaited.size));
    if (verdict.kind !== 'reject') return this.#carryOut(verdict);
    for (const [row, { failure }] of verdict.rows) this.reject(row, failure.code, failure.message);
    return this.#carryOut(settleRejected(verdict, { isPausing: this.#pause !== null, isLimitReached: this.#rejectLimit.isReached }));
  }

  /** Ends an attempt that failed outside of any row: its input could not be read, or a resource did not open. */
  async fail(thrown: unknown): Promise<BatchEnd> {
    await this.closeJournal();
    this.#unawaited.detach();
    const pending = Math.max(0, this.task.rows - this.finished.count);
    if (this.isInterruption(thrown)) return this.#interrupt(pending);
    const { failures, step } = this.task;
    const isHopeless = codeOf(thrown) === 'chunk-corrupted' || codeOf(thrown) === 'chunk-missing';
    const failure = this.failureOf(thrown);
    return this.#carryOut(settleBroken({ failure, pending, failures, attemptsMax: step.options.attempts, isHopeless }));
  }

  /** Ends the batch with success. Its output has the rows of all attempts. */
  async succeed(source: SuccessFacts['source'], rowsIn = this.task.rows): Promise<BatchEnd> {
    return this.#endWithSuccess(await this.finished.takeAll(), { source, rowsIn, missing: [] });
  }

  /** Ends a batch with success whose output is not finished row by row. */
  async succeedWith(
    output: BatchOutput,
    { rowsIn, missing = [] }: { readonly rowsIn: number; readonly missing?: SuccessFacts['missing'] },
  ): Promise<BatchEnd> {
    await this.throwUnawaited();
    return this.#endWithSuccess({ output, ...encodeRejections([]) }, { source: null, rowsIn, missing });
  }

  /** Gives the batch up, and its step with it. */
  giveUp(failure: Failure, pending: number): Promise<BatchEnd> {
    return this.#endWithFailure(failure, { pending, retryInMs: null, failsStep: true, counted: true });
  }

  #facts(failed: FailedRows, pending: number): AttemptFacts {
    const { step, failures, pass } = this.task;
    return {
      failed,
      pending,
      failures,
      attemptsMax: step.options.attempts,
      // In a later pass a lost row never fails its step, because the rows of earlier passes stay.
      rejects: step.options.onError === 'reject' || pass > 1,
      isPausing: this.#pause !== null,
      isAborted: this.context.abort.aborted,
      isStopping: this.isStopping,
      isLimitReached: this.#rejectLimit.isReached,
      rejection: this.finished.rejections()[0],
    };
  }

  #carryOut(verdict: Verdict): Promise<BatchEnd> {
    switch (verdict.kind) {
      case 'succeed':
        return this.succeed(null);
      case 'interrupt':
        return this.#interrupt(verdict.pending);
      case 'giveUp':
        return this.giveUp(verdict.failure, verdict.pending);
      case 'retry': {
        const { failed, pending, counted } = verdict;
        const { attempt, failures, step } = this.task;
        const { backoffMs } = step.options;
        const retryInMs = retryDelayMs({ failed, counted, attempt, failures, backoffMs, now: this.context.clock(), random: Math.random() });
        return this.#endWithFailure(firstFailure(failed), { pending, retryInMs, failsStep: false, counted });
      }
    }
  }

  async #interrupt(pending: number): Promise<BatchEnd> {
    const isSource = this.task.step.operator === 'source';
    const isLimitReached = this.#rejectLimit.isReached;
    const countBefore = this.finished.count;
    if (isLimitReached) this.finished.reconsider(isSource);
    const pendingRows = isSource ? pending + countBefore - this.finished.count : this.task.rows - this.finished.count;
    const failure = interruption(this.#pause, { isAborted: this.context.abort.aborted, isLimitReached });
    const end = await this.#endWithFailure(failure, { pending: Math.max(0, pendingRows), retryInMs: 0, failsStep: false, counted: false });
    return { ...end, pause: this.#pause };
  }

  #endWithFailure(error: Failure, facts: Omit<FailureFacts, 'elapsedMs'>): Promise<BatchEnd> {
    return failureEnd(this, error, { ...facts, elapsedMs: this.#elapsedMs() });
  }

  #endWithSuccess(recorded: RecordedOutput, facts: Pick<SuccessFacts, 'source' | 'rowsIn' | 'missing'>): Promise<BatchEnd> {
    const undeclared = this.context.newUndeclared(this.task.step.name, [...this.#undeclared]);
    return successEnd(this, recorded, { ...facts, elapsedMs: this.#elapsedMs(), undeclared });
  }

  /** Takes back unrecorded rows whose calls started something that failed after they returned. Returns these rows, to be retried. */
  async #takeBackUnawaited(): Promise<FailedRows> {
    const failed = new Map<number, RowFailure>();
    for (const [row, failure] of await this.#unawaited.close()) {
      const rows = this.finished.takeBack(row);
      for (const failedRow of rows) failed.set(failedRow, failure);
      if (rows.length === 0) this.context.userLog(this.task.step.name).warn(`batch ${this.task.batch}: ${failure.failure.message}`);
    }
    return failed;
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
