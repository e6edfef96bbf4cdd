import { isErrorLike } from '../kit/describe-thrown.ts';
import { codeOf, Fault, isFault, messageOf } from '../kit/fault.ts';
import { pause } from '../kit/pause.ts';
import { runLogId, type DriverAppendRequest, type AppendResult, type DriverSession, type EventLog } from './event-log.ts';

export interface PersistentSessionOptions {
  readonly log: EventLog;
  readonly runId: string;
  readonly epoch: number;
  /** Holds the run's driver lock. */
  readonly session: DriverSession;
  /** Ends the attempts to reach the store. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the last error when the store has not answered for a second, and null when it answers again. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
}

/** Pauses between attempts to reach the store; the first attempt follows at once. */
const pauseMinMs = 50;
const pauseMaxMs = 2_000;
/** Shorter outages of the store are not reported. */
const awayAfterMs = 1_000;

/**
 * A driver session that survives lost connections. When the outcome of an append is unknown, it takes the run's lock again and sends the same bytes under the
 * same id until it gets an answer. The append is stored once, whichever attempt stored it.
 */
export class PersistentSession {
  readonly #log: EventLog;
  readonly #runId: string;
  readonly #epoch: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAway: PersistentSessionOptions['onAway'];
  #away: { readonly since: number; readonly isReported: boolean } | null = null;
  #session: DriverSession;

  constructor({ log, runId, epoch, session, signal, onAway }: PersistentSessionOptions) {
    this.#log = log;
    this.#runId = runId;
    this.#epoch = epoch;
    this.#signal = signal;
    this.#onAway = onAway;
    this.#session = session;
  }

  /**
   * Appends, and returns when the outcome is known. Throws `Fault('fenced')` if another driver has the run, the store's last error if `signal` aborts, and
   * `Fault('append-failed')` for errors that another attempt would not fix.
   */
  async append(request: DriverAppendRequest): Promise<AppendResult> {
    for (let attempts = 1; ; attempts++) {
      try {
        const result = await this.#session.append(request);
        if (this.#away?.isReported) this.#onAway?.(null);
        this.#away = null;
        return result;
      } catch (error) {
        await this.#waitBefore(attempts, error);
        await this.#reopen(error);
      }
    }
  }

  async close(): Promise<void> {
    await this.#session.close().catch(() => undefined);
  }

  /** Takes the run's lock again. Retries for as long as the store cannot be reached. */
  async #reopen(lost: unknown): Promise<void> {
    await this.close();
    let error = lost;
    for (let attempts = 1; ; attempts++) {
      try {
        const opened = await this.#log.openDriver(this.#runId, { instead: this.#session });
        if (opened.ok) {
          this.#session = opened.session;
          return;
        }
        // The lock of a cut connection becomes free only when the server notices. Or another process has it and is about to take the run over. The epoch
        // distinguishes these cases.
        await this.#refuseIfTakenOver();
      } catch (failed) {
        error = failed;
      }
      await this.#waitBefore(attempts, error);
    }
  }

  async #refuseIfTakenOver(): Promise<void> {
    const head = await this.#log.head(runLogId(this.#runId));
    // A lower epoch means an older copy of the log. The next append is refused because of it.
    if (!head || head.epoch <= this.#epoch) return;
    throw new Fault('fenced', `Run ${this.#runId} was taken over by another process.`, {
      details: { run: this.#runId, epoch: head.epoch },
    });
  }

  /** Waits before the next attempt, or throws if there must be none. */
  async #waitBefore(attempt: number, error: unknown): Promise<void> {
    if (!isUnknownOutcome(error)) throw isFault(error) ? error : appendFailed(this.#runId, error);
    this.#reportIfAway(error);
    if (attempt > 1) await pause(Math.min(pauseMaxMs, pauseMinMs * 2 ** (attempt - 2)), this.#signal);
    if (this.#signal?.aborted) throw error;
  }

  #reportIfAway(error: unknown): void {
    this.#away ??= { since: Date.now(), isReported: false };
    if (this.#away.isReported || Date.now() - this.#away.since < awayAfterMs) return;
    this.#away = { ...this.#away, isReported: true };
    this.#onAway?.(isErrorLike(error) ? error : new Error(messageOf(error)));
  }
}

const appendFailed = (runId: string, cause: unknown): Fault =>
  new Fault(
    'append-failed',
    `The log of run ${runId} could not be written: ${messageOf(cause)}${codeOf(cause) === undefined ? '' : ` (${codeOf(cause)})`}.`,
    {
      details: { run: runId, cause: codeOf(cause) ?? null },
      cause,
    },
  );

/**
 * Codes of errors that are temporary, or after which it is unknown whether an append was stored: lost connections, servers that stop or become standbys,
 * timeouts and lost races. They are codes of faults or SQLSTATEs.
 */
const unknownOutcomes =
  /^(connection-lost|store-unreachable|too-many-connections|standby-away|read-only|disk-full|head-held|57P0\d|57014|40\w{3}|08\w{3}|53\w{3}|25006|55P03)$/;

const isUnknownOutcome = (error: unknown): boolean => unknownOutcomes.test(codeOf(error) ?? '');
