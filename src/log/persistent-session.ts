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
  /** Gives up reaching the store. */
  readonly signal?: AbortSignal | undefined;
  /** Told when the store has not answered for a second, with its last error, and with null when it answers again. */
  readonly onAway?: ((error: Error | null) => void) | undefined;
}

/** Pauses between attempts to reach the store; the first attempt follows at once. */
const pauseMinMs = 50;
const pauseMaxMs = 2_000;
/** A store that is away for less is not worth a word. */
const awayAfterMs = 1_000;

/**
 * A driver session that outlives its connections. Where the outcome of an append is unknown, it takes the run's lock again and sends the same bytes
 * under the same id, until it is answered: stored then or now, it is stored once.
 */
export class PersistentSession {
  readonly #log: EventLog;
  readonly #runId: string;
  readonly #epoch: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAway: PersistentSessionOptions['onAway'];
  #away: { readonly since: number; readonly isTold: boolean } | null = null;
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
   * Appends; returns once the outcome is known. Throws `Fault('fenced')` where another driver has the run, the store's last error where `signal` gave up
   * on it, and `Fault('append-failed')` for errors that no other attempt would mend.
   */
  async append(request: DriverAppendRequest): Promise<AppendResult> {
    for (let attempts = 1; ; attempts++) {
      try {
        const result = await this.#session.append(request);
        if (this.#away?.isTold) this.#onAway?.(null);
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

  /** Takes the run's lock again, however long the store is away. */
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
        // The lock of a connection that was cut is free only when the server notices, and may as well be held by whoever is about to take the run over:
        // the epoch tells.
        await this.#refuseIfTakenOver();
      } catch (failed) {
        error = failed;
      }
      await this.#waitBefore(attempts, error);
    }
  }

  async #refuseIfTakenOver(): Promise<void> {
    const head = await this.#log.head(runLogId(this.#runId));
    // A lower epoch is an older copy of the log: the next append is told so.
    if (!head || head.epoch <= this.#epoch) return;
    throw new Fault('fenced', `Run ${this.#runId} was taken over by another process.`, {
      details: { run: this.#runId, epoch: head.epoch },
    });
  }

  /** Waits before another attempt, or throws where there is to be none. */
  async #waitBefore(attempt: number, error: unknown): Promise<void> {
    if (!isUnknownOutcome(error)) throw isFault(error) ? error : appendFailed(this.#runId, error);
    this.#tellIfAway(error);
    if (attempt > 1) await pause(Math.min(pauseMaxMs, pauseMinMs * 2 ** (attempt - 2)), this.#signal);
    if (this.#signal?.aborted) throw error;
  }

  #tellIfAway(error: unknown): void {
    this.#away ??= { since: Date.now(), isTold: false };
    if (this.#away.isTold || Date.now() - this.#away.since < awayAfterMs) return;
    this.#away = { ...this.#away, isTold: true };
    this.#onAway?.(isErrorLike(error) ? error : new Error(messageOf(error)));
  }
}

const appendFailed = (runId: string, cause: unknown): Fault =>
  new Fault(
    'append-failed',
    `Run ${runId} cannot be written to: ${messageOf(cause)}${codeOf(cause) === undefined ? '' : ` (${codeOf(cause)})`}.`,
    {
      details: { run: runId, cause: codeOf(cause) ?? null },
      cause,
    },
  );

/**
 * Errors after which nobody knows whether an append was stored, or that pass by themselves: connections lost, servers going away or turned into
 * standbys, time-outs, lost races. By Fault or SQLSTATE.
 */
const unknownOutcomes =
  /^(connection-lost|store-unreachable|too-many-connections|standby-away|read-only|disk-full|head-held|57P0\d|57014|40\w{3}|08\w{3}|53\w{3}|25006|55P03)$/;

const isUnknownOutcome = (error: unknown): boolean => unknownOutcomes.test(codeOf(error) ?? '');
