import type { NewEvent, RecordedEvent } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { Fault } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';
import { AppendQueue, type EncodedCall } from './append-queue.ts';
import { recordedEvent } from './encoded-event.ts';
import { runLogId, type Appended, type AppendRefusal, type DriverAppendRequest, type AppendResult } from './event-log.ts';
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
export const openAppender = (options: AppenderOptions): Appender => new GroupCommitAppender(options);

/**
 * Group commit: one flush is in flight at a time, and everything that queued up meanwhile goes in the next, so durability costs one round trip for
 * many callers. Modes: idle → pumping (as long as there are calls) → idle; from either to closing, which takes no new calls, and to ended, for good.
 *
 * A flush is frozen with its id, and sent until its outcome is known; nothing overtakes. Where it was refused for the sake of some events, each
 * caller's are sent by themselves, so that no caller costs its neighbours anything.
 */
class GroupCommitAppender implements Appender {
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
    // Whoever else appends at this very moment comes along.
    await Promise.resolve();
    let flush = this.#next();
    while (flush) {
      flush = await this.#settled(flush).catch((error: unknown) => this.#failed(error, flush));
      // Whoever came in the moments since it looked: from here to the end nothing waits.
      flush ??= this.#next();
    }
    this.#pumping = null;
  }

  #failed(error: unknown, flush: Flush | null): null {
    assert(error instanceof Error, 'only errors are thrown');
    for (const call of flush?.calls ?? []) call.reject(error);
    this.#end(error);
    return null;
  }

  /** Sends what waits, if anything does. */
  #next(): Flush | null {
    const calls = this.#queue.takeFlush();
    return calls.length > 0 ? this.#send(calls) : null;
  }

  #send(calls: readonly EncodedCall[]): Flush {
    const request: DriverAppendRequest = {
      logId: runLogId(this.#runId),
      epoch: this.#epoch,
      appendId: newId(),
      expectedHash: this.#expectedHash,
      writer: this.#writer,
      events: calls.flatMap(({ checked }) => checked.map(({ encoded }) => encoded)),
      leaves: calls.flatMap(({ leaves }) => leaves),
      brings: calls.flatMap(({ checked }) => checked.flatMap(({ brings }) => brings)),
    };
    const result = this.#session.append(request);
    // Whoever waits for it may not have come that far yet.
    result.catch(() => undefined);
    return { calls, request, result };
  }

  /** Answers those whose events are in a flush, and returns the one after it. Throws what ends the appender. */
  async #settled({ calls, request, result }: Flush): Promise<Flush | null> {
    const answer = await result;
    if (answer.ok) {
      this.#follow(request, answer);
      // The server is given its next work before we turn to what it has done, where there is plenty of it.
      const next = this.#queue.events >= overlapEventsMin ? this.#next() : null;
      try {
        this.#accept(calls, request, answer);
      } catch (error) {
        for (const call of next?.calls ?? []) call.reject(error);
        throw error;
      }
      if (next) return next;
    } else if (!isAboutEvents(answer)) throw faultOf(answer, this.#runId);
    else if (calls.length === 1) calls[0]?.reject(faultOf(answer, this.#runId));
    else for (const call of calls) await this.#settledAlone(call);
    await turn();
    return this.#next();
  }

  /** One caller's events, by themselves. */
  async #settledAlone(call: EncodedCall): Promise<void> {
    const { request, result } = this.#send([call]);
    const answer = await result;
    if (answer.ok) {
      this.#follow(request, answer);
      this.#accept([call], request, answer);
    } else if (isAboutEvents(answer)) call.reject(faultOf(answer, this.#runId));
    else throw faultOf(answer, this.#runId);
  }

  /** The log ends there now: whatever is sent from here on comes after it. */
  #follow(request: DriverAppendRequest, { first, last, hash }: Appended): void {
    assert(last - first + 1 === request.events.length, 'an append has as many positions as events');
    assert(first === this.#position + 1, 'an append follows the one before');
    this.#position = last;
    this.#expectedHash = hash;
  }

  #accept(calls: readonly EncodedCall[], { logId }: DriverAppendRequest, { first, recordedAt }: Appended): void {
    let position = first;
    const recorded = calls.map(({ checked }) =>
      checked.map(({ encoded, data }) => {
        const event = recordedEvent(encoded, data, { logId, position: position++, recordedAt });
        assert(event, 'an event that is appended says what it is about');
        return event;
      }),
    );
    this.#onRecorded?.(recorded.flat());
    for (const [index, { resolve }] of calls.entries()) resolve(recorded[index] ?? []);
  }
}

/** Some callers' events on their way. */
interface Flush {
  readonly calls: readonly EncodedCall[];
  readonly request: DriverAppendRequest;
  readonly result: Promise<AppendResult>;
}

/** Events that wait at which the next flush is sent before the last one is taken in. */
const overlapEventsMin = 100;

/** Lets everybody go on who can: whoever appends because of what was recorded comes along in the next flush. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether other events might have been taken where these were refused. */
const isAboutEvents = ({ code }: AppendRefusal): boolean =>
  code === 'already-recorded' || code === 'unknown-chunk' || code === 'invalid-event';

const faultOf = ({ code, message, epoch }: AppendRefusal, runId: string): Fault =>
  new Fault(code, `Run ${runId}: ${message}`, { details: { run: runId, epoch } });
