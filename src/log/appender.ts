import type { NewEvent, RecordedEvent } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { Fault } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';
import { AppendQueue, type EncodedCall } from './append-queue.ts';
import { toRecordedEvent } from './encoded-event.ts';
import { runLogId, type Appended, type AppendRefusal, type DriverAppendRequest, type AppendResult } from './event-log.ts';
import { PersistentSession, type PersistentSessionOptions } from './persistent-session.ts';

/** Options of an appender. It closes `session` when it is closed. */
export interface AppenderOptions extends PersistentSessionOptions {
  /** The last position of the log. `expectedHash` is the hash that covers it. */
  readonly position: number;
  readonly expectedHash: string;
  readonly writer: string;
  /** Receives the events of each flush, in order, before their callers do. */
  readonly onRecorded?: ((events: readonly RecordedEvent[]) => void) | undefined;
}

/** The writer of one run. */
export interface Appender {
  /** The last position that was recorded. */
  readonly position: number;
  /** Resolves with the reason when the appender accepts no more events, such as `fenced` or `appender-closed`. */
  readonly ended: Promise<Error>;
  /**
   * Appends events, together and in order. They are durable when it resolves. Rejects with a `Fault`. Its code is that of a refusal of these events only
   * (`already-recorded`, `unknown-chunk`, `invalid-event`), or of the refusal that ended the appender (`fenced`, `history-diverged`, `append-id-reused`).
   */
  append(events: readonly NewEvent[]): Promise<readonly RecordedEvent[]>;
  /** Accepts no more events, waits for the queued ones, then closes the session. */
  close(): Promise<void>;
}

/** Opens the writer of a run. The caller must hold the run's driver lock. */
export const openAppender = (options: AppenderOptions): Appender => new GroupCommitAppender(options);

/**
 * Group commit: one flush is in flight at a time, and all calls that arrive meanwhile go into the next one. Many callers thus share one round trip. Modes:
 * idle → pumping (while there are calls) → idle. From either mode to closing, which accepts no new calls, and then to ended, which is final.
 *
 * A flush keeps its content and its id, and is sent until its outcome is known. No flush overtakes another. If a flush is refused because of some of its
 * events, each caller's events are sent separately, so that one caller's events do not fail those of the others.
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
  #endReason: Error | null = null;

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
      this.#endReason = why;
      for (const call of this.#queue.takeAll()) call.reject(why);
      resolve(why);
    };
  }

  get position(): number {
    return this.#position;
  }

  append(events: readonly NewEvent[]): Promise<readonly RecordedEvent[]> {
    if (this.#endReason) return Promise.reject(this.#endReason);
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#queue.add({ events, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  async close(): Promise<void> {
    const closed = new Fault('appender-closed', `The appender of run ${this.#runId} is closed.`, { details: { run: this.#runId } });
    this.#endReason ??= closed;
    await this.#pumping;
    if (this.#endReason === closed) this.#end(closed);
    await this.#session.close();
  }

  async #pump(): Promise<void> {
    // Calls that append in the same turn go into this flush too.
    await Promise.resolve();
    let flush = this.#sendNext();
    while (flush) {
      flush = await this.#settle(flush).catch((error: unknown) => this.#fail(error, flush));
      // Calls may have arrived since the last look. There is no `await` from here to the end.
      flush ??= this.#sendNext();
    }
    this.#pumping = null;
  }

  #fail(error: unknown, flush: Flush | null): null {
    assert(error instanceof Error, 'only errors are thrown');
    for (const call of flush?.calls ?? []) call.reject(error);
    this.#end(error);
    return null;
  }

  /** Sends the next flush, or returns null if no call waits. */
  #sendNext(): Flush | null {
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
    // A rejection may come before `#settle` awaits the result.
    result.catch(() => undefined);
    return { calls, request, result };
  }

  /** Answers the callers of a flush, and returns the next flush or null. Throws the error that ends the appender. */
  async #settle({ calls, request, result }: Flush): Promise<Flush | null> {
    const answer = await result;
    if (answer.ok) {
      this.#advance(request, answer);
      // If many events wait, the next flush is sent before this one is processed, so that the server does not idle.
      const next = this.#queue.events >= overlapEventsMin ? this.#sendNext() : null;
      try {
        this.#accept(calls, request, answer);
      } catch (error) {
        for (const call of next?.calls ?? []) call.reject(error);
        throw error;
      }
      if (next) return next;
    } else if (!isAboutEvents(answer)) throw toFault(answer, this.#runId);
    else if (calls.length === 1) calls[0]?.reject(toFault(answer, this.#runId));
    else for (const call of calls) await this.#settleAlone(call);
    await yieldTurn();
    return this.#sendNext();
  }

  /** Sends and answers one caller's events separately. */
  async #settleAlone(call: EncodedCall): Promise<void> {
    const { request, result } = this.#send([call]);
    const answer = await result;
    if (answer.ok) {
      this.#advance(request, answer);
      this.#accept([call], request, answer);
    } else if (isAboutEvents(answer)) call.reject(toFault(answer, this.#runId));
    else throw toFault(answer, this.#runId);
  }

  /** Records the new end of the log. All later requests follow it. */
  #advance(request: DriverAppendRequest, { first, last, hash }: Appended): void {
    assert(last - first + 1 === request.events.length, 'an append has as many positions as events');
    assert(first === this.#position + 1, 'an append follows the one before');
    this.#position = last;
    this.#expectedHash = hash;
  }

  #accept(calls: readonly EncodedCall[], { logId }: DriverAppendRequest, { first, recordedAt }: Appended): void {
    let position = first;
    const recorded = calls.map(({ checked }) =>
      checked.map(({ encoded, data }) => {
        const event = toRecordedEvent(encoded, data, { logId, position: position++, recordedAt });
        assert(event, 'an appended event names its step and batch');
        return event;
      }),
    );
    this.#onRecorded?.(recorded.flat());
    for (const [index, { resolve }] of calls.entries()) resolve(recorded[index] ?? []);
  }
}

/** An append in flight, with its callers. */
interface Flush {
  readonly calls: readonly EncodedCall[];
  readonly request: DriverAppendRequest;
  readonly result: Promise<AppendResult>;
}

/** Minimum number of waiting events at which the next flush is sent before the last one is processed. */
const overlapEventsMin = 100;

/** Yields to the event loop, so that callers woken by this flush can append to the next one. */
const yieldTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Returns whether a refusal concerns the events, so that other events may still be accepted. */
const isAboutEvents = ({ code }: AppendRefusal): boolean =>
  code === 'already-recorded' || code === 'unknown-chunk' || code === 'invalid-event';

const toFault = ({ code, message, epoch }: AppendRefusal, runId: string): Fault =>
  new Fault(code, `Run ${runId}: ${message}`, { details: { run: runId, epoch } });
