import type { NewEvent, RecordedEvent } from '#schema';
import { assert } from '#kit/assert';
import { Fault } from '#kit/fault';
import { newId } from '#kit/ids';
import { AppendQueue, type EncodedCall } from './append-queue.ts';
import { decodeEvent } from './encoded-event.ts';
import { runLogId, type Appended, type AppendRefusal, type AppendRequest } from './event-log.ts';
import { PersistentSession, type PersistentSessionOptions } from './persistent-session.ts';

/** What an appender is opened with. It closes `session` when it is closed. */
export interface AppenderOptions extends PersistentSessionOptions {
  /** Where the log ends: its last position, and the hash that covers it. */
  readonly position: number;
  readonly expectedHash: string;
  readonly writer: string;
  /** Told of each flush's events, in order, before those who appended them. */
  readonly onRecorded?: ((events: readonly RecordedEvent[]) => void) | undefined;
}

/** One writer of one run. */
export interface Appender {
  /** The last position that was recorded. */
  readonly position: number;
  /** Resolves with why the appender takes no more, once it does not: `fenced`, say, or `appender-closed`. */
  readonly ended: Promise<Error>;
  /**
   * Appends events, together and in order; they are durable when it resolves. Rejects with a `Fault`: the code of a refusal that concerns these events
   * only (`already-recorded`, `unknown-chunk`, `invalid-event`), or of what ended the appender (`fenced`, `history-diverged`, `append-id-reused`).
   */
  append(events: readonly NewEvent[]): Promise<readonly RecordedEvent[]>;
  /** Takes no more, waits for what is queued, then gives the session back. */
  close(): Promise<void>;
}

/** Opens the one writer of a run, for whoever holds its driver lock. */
export const openAppender = (options: AppenderOptions): Appender => new GroupCommit(options);

/**
 * Group commit: one flush is in flight at a time, and everything that queued up meanwhile goes in the next, so durability costs one round trip for
 * many callers. Modes: idle → pumping (as long as there are calls) → idle; from either to closing, which takes no new calls, and to ended, for good.
 *
 * A flush is frozen with its id, and sent until its outcome is known; nothing overtakes. Where it was refused for the sake of some events, each
 * caller's are sent by themselves, so that no caller costs its neighbours anything.
 */
class GroupCommit implements Appender {
  readonly ended: Promise<Error>;
  readonly #runId: string;
  readonly #epoch: number;
  readonly #writer: string;
  readonly #session: PersistentSession;
  readonly #onRecorded: AppenderOptions['onRecorded'];
  readonly #queue = new AppendQueue();
  readonly #end: (why: Error) => void;
  #position: number;
  #expectedHash: string;
  #pumping: Promise<void> | null = null;
  #why: Error | null = null;

  constructor(options: AppenderOptions) {
    this.#runId = options.runId;
    this.#epoch = options.epoch;
    this.#writer = options.writer;
    this.#session = new PersistentSession(options);
    this.#onRecorded = options.onRecorded;
    this.#position = options.position;
    this.#expectedHash = options.expectedHash;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.#end = (why) => {
      this.#why = why;
      for (const call of this.#queue.takeAll()) call.reject(why);
      resolve(why);
    };
  }

  get position(): number {
    return this.#position;
  }

  append(events: readonly NewEvent[]): Promise<readonly RecordedEvent[]> {
    if (this.#why) return Promise.reject(this.#why);
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#queue.add({ events, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  async close(): Promise<void> {
    const closed = new Fault('appender-closed', `The appender of run ${this.#runId} is closed.`, { details: { run: this.#runId } });
    this.#why ??= closed;
    await this.#pumping;
    if (this.#why === closed) this.#end(closed);
    await this.#session.close();
  }

  async #pump(): Promise<void> {
    // Whoever else appends in this turn of the event loop comes along.
    await Promise.resolve();
    for (let calls = this.#queue.takeFlush(); calls.length > 0; calls = this.#queue.takeFlush()) {
      try {
        await this.#flush(calls);
      } catch (error) {
        assert(error instanceof Error, 'only errors are thrown');
        for (const call of calls) call.reject(error);
        this.#end(error);
      }
    }
    this.#pumping = null;
  }

  /** Sends what some callers want appended, and answers them. Throws what ends the appender. */
  async #flush(calls: readonly EncodedCall[]): Promise<void> {
    const request: AppendRequest = {
      logId: runLogId(this.#runId),
      epoch: this.#epoch,
      appendId: newId(),
      expectedHash: this.#expectedHash,
      writer: this.#writer,
      events: calls.flatMap(({ encoded }) => encoded),
    };
    const result = await this.#session.append(request);
    if (result.ok) this.#accept(calls, request, result);
    else if (!isAboutEvents(result)) throw faultOf(result, this.#runId);
    else if (calls.length === 1) calls[0]?.reject(faultOf(result, this.#runId));
    else for (const call of calls) await this.#flush([call]);
  }

  #accept(calls: readonly EncodedCall[], request: AppendRequest, { first, last, recordedAt, hash }: Appended): void {
    assert(last - first + 1 === request.events.length, 'an append has as many positions as events');
    assert(first === this.#position + 1, 'an append follows the one before');
    this.#position = last;
    this.#expectedHash = hash;
    const recorded = request.events.map((encoded, index) => {
      const { event } = decodeEvent({ ...encoded, position: first + index, recordedAt }, request.logId);
      assert(event, 'what was encoded can be decoded');
      return event;
    });
    this.#onRecorded?.(recorded);
    let from = 0;
    for (const { encoded, resolve } of calls) {
      resolve(recorded.slice(from, from + encoded.length));
      from += encoded.length;
    }
  }
}

/** Whether other events might have been taken where these were refused. */
const isAboutEvents = ({ code }: AppendRefusal): boolean =>
  code === 'already-recorded' || code === 'unknown-chunk' || code === 'invalid-event';

const faultOf = ({ code, message, epoch }: AppendRefusal, runId: string): Fault =>
  new Fault(code, `Run ${runId}: ${message}`, { details: { run: runId, epoch } });
