import type { NewEvent, RecordedEvent } from '#schema';
import { assert } from '#kit/assert';
import { codeOf, Fault, hasCode } from '#kit/fault';
import { newId } from '#kit/ids';
import { decodeEvent, encodeEvent, type EncodedEvent } from './encoded-event.ts';
import { runLogId, type Appended, type AppendRefusal, type AppendRequest, type DriverSession, type EventLog } from './event-log.ts';
import { pause } from '#kit/pause';

/** Most events, and bytes of their data, in one flush; a single call's events are never torn apart. */
const flushEventsMax = 2_000;
const flushBytesMax = 1024 * 1024;
/** Events that may wait for a flush before callers have to. */
const queuedEventsMax = 20_000;
/** Pauses between attempts to reach the store again. */
const reconnectMinMs = 50;
const reconnectMaxMs = 2_000;

export interface AppenderOptions {
  readonly log: EventLog;
  readonly runId: string;
  /** Holds the run's driver lock. Closed by `close`. */
  readonly session: DriverSession;
  readonly epoch: number;
  /** Where the log ends: its last position, and the hash that covers it. */
  readonly position: number;
  readonly expectedHash: string;
  readonly writer: string;
  /** Told of each flush's events, in order, before those who appended them. */
  readonly onRecorded?: ((events: readonly RecordedEvent[]) => void) | undefined;
  /** Gives up reaching the store. */
  readonly signal?: AbortSignal | undefined;
}

/** One writer of one run. */
export interface Appender {
  /** The last position that was recorded. */
  readonly position: number;
  /**
   * Appends events, together and in order; they are durable when it resolves. Rejects with a `Fault`: the code of a refusal that concerns these events
   * only (`already-recorded`, `unknown-chunk`, `invalid-event`), or of the one that ended the appender (`fenced`, `history-diverged`, `append-id-reused`).
   */
  append(events: readonly NewEvent[]): Promise<readonly RecordedEvent[]>;
  /** Waits for what is queued, then gives the session back. */
  close(): Promise<void>;
}

interface Call {
  readonly events: readonly EncodedEvent[];
  readonly bytes: number;
  readonly resolve: (recorded: readonly RecordedEvent[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: one flush is in flight at a time, and everything that queued up meanwhile goes in the next, so durability costs one round trip for
 * many callers. Modes: `idle` → `flushing` (as long as there are calls) → `idle`; from either to `ended`, for good, when the run is another's.
 *
 * Where the outcome of a flush is unknown, it takes the run's lock again and sends the same bytes under the same id until it is answered; nothing
 * overtakes. Where it was refused for one caller's fault, each caller's events are sent by themselves.
 */
export function openAppender(options: AppenderOptions): Appender {
  const { log, runId, epoch, writer, onRecorded, signal } = options;
  const logId = runLogId(runId);
  const queue: Call[] = [];
  const waiting: (() => void)[] = [];
  let session = options.session;
  let { position, expectedHash } = options;
  let queuedEvents = 0;
  let flushing: Promise<void> | null = null;
  let ended: Fault | null = null;

  const end = (fault: Fault): void => {
    ended = fault;
    for (const call of queue.splice(0)) call.reject(fault);
    queuedEvents = 0;
    for (const proceed of waiting.splice(0)) proceed();
  };

  /** Takes what goes into the next flush off the queue. */
  const nextCalls = (): readonly Call[] => {
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const call of queue) {
      if (count > 0 && (events + call.events.length > flushEventsMax || bytes + call.bytes > flushBytesMax)) break;
      events += call.events.length;
      bytes += call.bytes;
      count++;
    }
    queuedEvents -= events;
    return queue.splice(0, count);
  };

  /** Sends a request until its outcome is known. */
  const send = async (request: AppendRequest): Promise<Appended | AppendRefusal> => {
    for (let pauseMs = reconnectMinMs; ; pauseMs = Math.min(reconnectMaxMs, pauseMs * 2)) {
      try {
        return await session.append(request);
      } catch (error) {
        if (!isUnknownOutcome(error)) throw error;
        if (signal?.aborted) throw error;
        await pause(pauseMs, signal);
        await reconnect();
      }
    }
  };

  /** Takes the run's driver lock again, however long the store is away. Somebody else having it means that the run is theirs. */
  const reconnect = async (): Promise<void> => {
    await session.close().catch(() => undefined);
    for (let pauseMs = reconnectMinMs; ; pauseMs = Math.min(reconnectMaxMs, pauseMs * 2)) {
      try {
        const opened = await log.openDriver(runId);
        if (opened.ok) {
          session = opened.session;
          return;
        }
        // A lock whose connection was cut is free only when the server notices: whether the epoch still is ours tells more than the lock.
        const head = await log.head(logId);
        if (head && head.epoch !== epoch) {
          const { user, host, pid } = opened.holder;
          throw new Fault('fenced', `Run ${runId} was taken over by ${user}@${host}, process ${pid}.`, {
            details: { run: runId, epoch: head.epoch },
          });
        }
      } catch (error) {
        if (hasCode(error, 'fenced') || signal?.aborted || !isUnknownOutcome(error)) throw error;
      }
      await pause(pauseMs, signal);
    }
  };

  const requestOf = (calls: readonly Call[]): AppendRequest => ({
    logId,
    epoch,
    appendId: newId(),
    expectedHash,
    writer,
    events: calls.flatMap(({ events }) => events),
  });

  const flush = async (calls: readonly Call[]): Promise<void> => {
    if (ended) {
      for (const call of calls) call.reject(ended);
      return;
    }
    const request = requestOf(calls);
    const result = await send(request);
    if (result.ok) {
      accept(calls, request, result);
      return;
    }
    const fault = faultOf(result, runId);
    if (isFinal(result)) {
      for (const call of calls) call.reject(fault);
      end(fault);
    } else if (calls.length === 1) calls[0]?.reject(fault);
    else for (const call of calls) await flush([call]);
  };

  const accept = (calls: readonly Call[], request: AppendRequest, { first, last, recordedAt, hash }: Appended): void => {
    assert(last - first + 1 === request.events.length, 'as many positions as events');
    position = last;
    expectedHash = hash;
    const recorded = request.events.map((encoded, index) => {
      const { event } = decodeEvent({ ...encoded, position: first + index, recordedAt }, logId);
      assert(event, 'what was encoded can be decoded');
      return event;
    });
    onRecorded?.(recorded);
    let from = 0;
    for (const { events, resolve } of calls) {
      resolve(recorded.slice(from, from + events.length));
      from += events.length;
    }
  };

  const pump = async (): Promise<void> => {
    while (queue.length > 0 && !ended) {
      const calls = nextCalls();
      try {
        await flush(calls);
      } catch (error) {
        const fault = error instanceof Fault ? error : new Fault('append-failed', `Run ${runId} cannot be written to.`, { cause: error });
        for (const call of calls) call.reject(fault);
        end(fault);
      }
      for (const proceed of waiting.splice(0)) proceed();
    }
  };

  const start = (): void => {
    flushing ??= pump().finally(() => {
      flushing = null;
      if (queue.length > 0 && !ended) start();
    });
  };

  return {
    get position() {
      return position;
    },
    append: async (events) => {
      if (events.length === 0) return [];
      const encoded = events.map(encodeEvent);
      while (queuedEvents > queuedEventsMax && !ended) await new Promise<void>((resolve) => waiting.push(resolve));
      if (ended) throw ended;
      return new Promise((resolve, reject) => {
        queue.push({ events: encoded, bytes: encoded.reduce((sum, { data }) => sum + data.length, 0), resolve, reject });
        queuedEvents += encoded.length;
        start();
      });
    },
    close: async () => {
      while (flushing) await flushing;
      ended ??= new Fault('appender-closed', `The appender of run ${runId} is closed.`);
      await session.close().catch(() => undefined);
    },
  };
}

/** SQLSTATEs and errors after which nobody knows whether the append was stored: connections lost, servers going away, time-outs, lost races. */
const unknownOutcomes = /^(connection-lost|store-unreachable|57P0\d|57014|40001|40P01|08\w{3}|53\w{3}|25006|55P03)$/;

const isUnknownOutcome = (error: unknown): boolean => unknownOutcomes.test(codeOf(error) ?? '');

const isFinal = ({ code }: AppendRefusal): boolean =>
  code === 'fenced' || code === 'history-diverged' || code === 'append-id-reused' || code === 'unknown-log';

const faultOf = ({ code, message, epoch }: AppendRefusal, runId: string): Fault =>
  new Fault(code, `Run ${runId}: ${message}`, { details: { run: runId, epoch } });
