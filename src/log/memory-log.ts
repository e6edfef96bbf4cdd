import { isEventType, type RecordedEvent } from '#schema';
import type { Clock } from '#kit/clock';
import { Fault } from '#kit/fault';
import { formatInstant, parseInstant, type Instant } from '#kit/instant';
import { checkedChunk } from './checked-chunk.ts';
import type { ChunkStore } from './chunk-store.ts';
import { decodeEvent, type EncodedEvent } from './encoded-event.ts';
import {
  sideLogId,
  type AppendRefusal,
  type AppendRequest,
  type AppendResult,
  type Commit,
  type DriverSession,
  type EventLog,
  type Head,
  type Holder,
  type OpenedDriver,
  type ReadOptions,
  type RunEntry,
  type StoredEvent,
} from './event-log.ts';
import { chainHash, emptyHash, leafHash, rootHash } from './hash-chain.ts';

/** One log as it is kept in memory. Tests may reach in and alter it, as somebody with the database's password might. */
export interface MemoryLog {
  readonly logId: string;
  readonly commits: Commit[];
  readonly events: StoredEvent[];
  epoch: number;
}

const pageSize = 1_000;

/** The in-memory twin of the PostgreSQL log: the same results, refusals and hashes, without durability. No timers: what it does depends on its calls only. */
export function memoryEventLog({
  clock,
  has,
}: {
  readonly clock: Clock;
  readonly has: (sha256: string) => boolean;
}): EventLog & { readonly logs: Map<string, MemoryLog> } {
  const logs = new Map<string, MemoryLog>();
  const holders = new Map<string, { readonly holder: Holder; isCut: boolean }>();

  const logOf = (logId: string): MemoryLog | undefined => logs.get(logId);

  const append = (request: AppendRequest, raise = false): AppendResult => {
    const log = logOf(request.logId);
    if (!log) return refusal('unknown-log', `there is no log ${request.logId}`);
    const root = rootHash(request.events.map(leafHash));
    const known = log.commits.find(({ appendId }) => appendId === request.appendId);
    if (known) {
      if (known.root !== root) return refusal('append-id-reused', `append ${request.appendId} is known with other events`);
      return {
        ok: true,
        first: known.first,
        last: known.last,
        recordedAt: known.recordedAt,
        hash: known.hash,
        epoch: known.epoch,
        duplicate: true,
      };
    }
    if (request.epoch === null ? !isSide(request.logId) : request.epoch !== log.epoch) {
      return { ...refusal('fenced', `the epoch is ${log.epoch}, and the writer's ${request.epoch ?? 'none'}`), epoch: log.epoch };
    }
    const before = headOf(log);
    if (request.expectedHash !== null && request.expectedHash !== before.hash) {
      return refusal('history-diverged', `the log ends at position ${before.position} with another hash than the writer saw`);
    }
    const missing = request.events.flatMap(({ chunks }) => chunks).find((sha256) => !has(sha256));
    if (missing !== undefined) return refusal('unknown-chunk', `chunk ${missing} is not stored`);
    const twice = request.events.find((event, index) => isRecorded([...log.events, ...request.events.slice(0, index)], event));
    if (twice)
      return refusal('already-recorded', `${twice.type} of ${twice.step}/${twice.batch}, attempt ${twice.attempt}, has been recorded`);

    const now = clock();
    const recordedAt = before.position === 0 ? now : Math.max(now, parseInstant(before.recordedAt) + 1);
    const epoch = raise ? log.epoch + 1 : log.epoch;
    const first = before.position + 1;
    const last = before.position + request.events.length;
    const { logId, appendId, writer } = request;
    const hash = chainHash({ previous: before.hash, root, logId, first, last, recordedAt, clock: now, appendId, epoch, writer });
    const time = formatInstant(recordedAt);
    log.epoch = epoch;
    log.commits.push({ first, last, recordedAt: time, clock: formatInstant(now), appendId, epoch, writer, root, hash });
    log.events.push(
      ...request.events.map((event, index) => ({ ...event, position: first + index, recordedAt: time, leaf: leafHash(event) })),
    );
    return { ok: true, first, last, recordedAt: time, hash, epoch, duplicate: false };
  };

  const eventsOf = (logId: string, wanted: (event: StoredEvent) => boolean): readonly RecordedEvent[] =>
    (logOf(logId)?.events ?? []).filter(wanted).flatMap((stored) => {
      const decoded = decodeEvent(stored, logId);
      return decoded.event ? [decoded.event] : [];
    });

  const open = (runId: string, seize: boolean): OpenedDriver => {
    const held = holders.get(runId);
    if (held && !seize) return { ok: false, code: 'driven', holder: held.holder };
    if (held) held.isCut = true;
    const mine = { holder: { user: 'memory', host: 'memory', pid: process.pid, since: formatInstant(clock()) }, isCut: false };
    holders.set(runId, mine);
    const alive = () => {
      if (mine.isCut) throw new Fault('connection-lost', `The connection that drives run ${runId} was ended.`);
    };
    const session: DriverSession = {
      runId,
      append: async (request) => {
        alive();
        return append(request);
      },
      takeOver: async (request) => {
        alive();
        return append(request, true);
      },
      close: async () => {
        if (holders.get(runId) === mine) holders.delete(runId);
        mine.isCut = true;
      },
    };
    return { ok: true, session };
  };

  return {
    logs,
    create: async (request) => {
      if (!logs.has(request.logId)) {
        for (const logId of [request.logId, sideLogId(request.logId)]) logs.set(logId, { logId, commits: [], events: [], epoch: 1 });
        const result = append(request);
        if (!result.ok) for (const logId of [request.logId, sideLogId(request.logId)]) logs.delete(logId);
        return result;
      }
      const known = logOf(request.logId)?.commits.some(({ appendId }) => appendId === request.appendId);
      return known ? append(request) : refusal('already-recorded', `there is a run ${request.logId}`);
    },
    appendSide: async (request) => append(request),
    openDriver: async (runId, { seize = false } = {}) => open(runId, seize),
    holder: async (runId) => holders.get(runId)?.holder ?? null,
    head: async (logId) => {
      const log = logOf(logId);
      return log ? headOf(log) : null;
    },
    runs: async function* () {
      const entries = [...logs.values()]
        .filter(({ logId }) => !isSide(logId))
        .flatMap((log): RunEntry[] => {
          const [started] = log.events;
          const data = started ? (JSON.parse(started.data) as { manifest?: { pipeline?: string } }) : {};
          return started
            ? [
                {
                  runId: log.logId,
                  pipeline: data.manifest?.pipeline ?? '',
                  startedAt: started.recordedAt,
                  head: headOf(log),
                  holder: holders.get(log.logId)?.holder ?? null,
                },
              ]
            : [];
        });
      yield entries.sort((a, b) => (a.startedAt < b.startedAt ? 1 : a.startedAt > b.startedAt ? -1 : a.runId < b.runId ? 1 : -1));
    },
    runIds: async (prefix, limit) =>
      [...logs.keys()]
        .filter((logId) => !isSide(logId) && logId.startsWith(prefix))
        .sort()
        .slice(0, limit),
    read: async function* (logId, options: ReadOptions = {}) {
      const { from = 1, to = logOf(logId)?.events.length ?? 0, types, step } = options;
      const events = eventsOf(
        logId,
        (event) =>
          event.position >= from &&
          event.position <= to &&
          (types === undefined || (isEventType(event.type) && types.includes(event.type))) &&
          (step === undefined || event.step === step),
      );
      for (let index = 0; index < events.length; index += pageSize) yield events.slice(index, index + pageSize);
    },
    readBatch: async (logId, { pass, step, batch, to = Number.POSITIVE_INFINITY }) =>
      eventsOf(logId, (event) => event.pass === pass && event.step === step && event.batch === batch && event.position <= to),
    readSuccesses: async function* (logId, { step, fromBatch = 0, to }) {
      const successes = eventsOf(
        logId,
        (event) => event.type === 'BatchSucceeded' && event.step === step && (event.batch ?? 0) >= fromBatch && event.position <= to,
      ) as readonly RecordedEvent<'BatchSucceeded'>[];
      const ordered = [...successes].sort((a, b) => a.pass - b.pass || a.batch - b.batch);
      for (let index = 0; index < ordered.length; index += pageSize) yield ordered.slice(index, index + pageSize);
    },
    success: async (logId, { pass, step, batch, to }) => {
      const [success] = eventsOf(
        logId,
        (event) =>
          event.type === 'BatchSucceeded' && event.pass === pass && event.step === step && event.batch === batch && event.position <= to,
      );
      return success?.type === 'BatchSucceeded' ? success : null;
    },
    unknownEvent: async (logId, to) => {
      for (const stored of logOf(logId)?.events ?? []) {
        if (stored.position > to) break;
        const decoded = decodeEvent(stored, logId);
        if (!decoded.event) return { position: stored.position, reason: decoded.reason };
      }
      return null;
    },
    positionAt: async (logId, instant: Instant) =>
      (logOf(logId)?.commits ?? []).findLast(({ recordedAt }) => parseInstant(recordedAt) <= instant)?.last ?? 0,
    asOf: async (logId, position) => {
      const commit = logOf(logId)?.commits.find(({ first, last }) => first <= position && position <= last);
      return commit ? { position, recordedAt: commit.recordedAt, hash: commit.hash } : null;
    },
    unreliableFrom: async (logId) =>
      (logOf(logId)?.commits ?? []).find((commit) => parseInstant(commit.recordedAt) - parseInstant(commit.clock) > unreliableLead)
        ?.first ?? null,
    storedEvents: async function* (logId, { from, to }) {
      const events = (logOf(logId)?.events ?? []).filter(({ position }) => position >= from && position <= to);
      for (let index = 0; index < events.length; index += pageSize) yield events.slice(index, index + pageSize);
    },
    commits: async function* (logId, { from, to }) {
      const commits = (logOf(logId)?.commits ?? []).filter(({ first }) => first >= from && first <= to);
      for (let index = 0; index < commits.length; index += pageSize) yield commits.slice(index, index + pageSize);
    },
  };

  function headOf(log: MemoryLog): Head {
    const last = log.commits.at(-1);
    return {
      logId: log.logId,
      position: last?.last ?? 0,
      hash: last?.hash ?? emptyHash,
      recordedAt: last?.recordedAt ?? formatInstant(0),
      epoch: log.epoch,
    };
  }
}

/** A lead of `recordedAt` over the server's clock, in microseconds, from which times are not to be relied on. */
const unreliableLead = 1_000_000;

const isSide = (logId: string): boolean => logId.endsWith('/side');

const refusal = (code: AppendRefusal['code'], message: string): AppendRefusal => ({ ok: false, code, message, epoch: null });

const ends = new Set(['BatchSucceeded', 'BatchFailed', 'BatchAbandoned']);

/** One success per batch, one end per attempt. */
function isRecorded(before: readonly EncodedEvent[], { type, pass, step, batch, attempt }: EncodedEvent): boolean {
  if (!ends.has(type)) return false;
  return before.some(
    (other) =>
      other.pass === pass &&
      other.step === step &&
      other.batch === batch &&
      ((type === 'BatchSucceeded' && other.type === 'BatchSucceeded') || (ends.has(other.type) && other.attempt === attempt)),
  );
}

/** The chunks of a memory store. */
export function memoryChunks(): ChunkStore & { readonly bytes: Map<string, Uint8Array> } {
  const bytes = new Map<string, Uint8Array>();
  return {
    bytes,
    put: async (chunks) => {
      for (const chunk of chunks) if (!bytes.has(chunk.sha256)) bytes.set(chunk.sha256, chunk.bytes);
    },
    get: async (address) => checkedChunk(address, bytes.get(address)),
  };
}
