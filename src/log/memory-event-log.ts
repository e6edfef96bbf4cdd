import { isEventType, type RecordedEvent } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import { formatInstant, parseInstant } from '../kit/instant.ts';
import { hasChunk } from './check-chunk.ts';
import { decodeEvent } from './encoded-event.ts';
import {
  isSideLog,
  sideLogId,
  type AppendRequest,
  type AppendResult,
  type DriverAppendRequest,
  type EventLog,
  type RunEntry,
  type StoredEvent,
} from './event-log.ts';
import { statusTypes, type RunCursor, type RunSelection } from './run-selection.ts';
import { memoryDriverLocks } from './memory-driver-locks.ts';
import { appendTo, emptyMemoryLog, refusal, type MemoryLog } from './memory-log.ts';

/** Logs in memory. */
export interface MemoryEventLog extends EventLog {
  /** All logs by id, for tests that alter them. */
  readonly logs: Map<string, MemoryLog>;
}

const pageSize = 1_000;
const runPageSize = 200;
/** How far `recordedAt` may be ahead of the clock, in microseconds, before times count as unreliable. */
const unreliableLead = 1_000_000;

/**
 * Creates an in-memory log with the same results, refusals and hashes as the PostgreSQL log, but without durability. It is deterministic: it has no timers
 * and no randomness, and depends on its calls and its clock only.
 */
export function memoryEventLog({
  clock,
  chunks,
}: {
  readonly clock: Clock;
  /** Stored bytes by address. */
  readonly chunks: Map<string, Uint8Array>;
}): MemoryEventLog {
  const logs = new Map<string, MemoryLog>();
  const isStored = (sha256: string) => chunks.has(sha256);

  const append = (request: DriverAppendRequest, { raise }: { readonly raise: boolean }): AppendResult => {
    const log = logs.get(request.logId);
    if (!log) return refusal('unknown-log', `there is no log ${request.logId}`);
    const inlineChunks = new Map(
      request.brings?.filter(({ sha256, body }) => !hasChunk(chunks, sha256, body)).map(({ sha256, body }) => [sha256, body]),
    );
    const result = appendTo(log, request, { clock, isStored: (sha256) => isStored(sha256) || inlineChunks.has(sha256), raise });
    if (result.ok) for (const [sha256, body] of inlineChunks) chunks.set(sha256, body);
    return result;
  };

  const create = (request: AppendRequest): AppendResult => {
    const { logId, appendId } = request;
    const log = logs.get(logId);
    if (log && !log.appends.has(appendId)) return refusal('already-recorded', `there is a run ${logId}`);
    const newLog = log ?? emptyMemoryLog(logId);
    const result = appendTo(newLog, request, { clock, isStored, raise: false });
    if (!log && result.ok) {
      logs.set(logId, newLog);
      logs.set(sideLogId(logId), emptyMemoryLog(sideLogId(logId)));
    }
    return result;
  };

  const locks = memoryDriverLocks({ clock, append });
  const eventsOf = (logId: string): readonly StoredEvent[] => logs.get(logId)?.events ?? [];
  const commitsOf = (logId: string) => logs.get(logId)?.commits ?? [];

  const findOutcomes = (logId: string, place: { readonly pass: number; readonly step: string; readonly batch: number }, to: number) => {
    const isOfBatch = ({ type, pass, step, batch, position }: StoredEvent) =>
      batch === place.batch && step === place.step && pass === place.pass && position <= to && outcomes.has(type);
    return decodeReadable(logId, eventsOf(logId).filter(isOfBatch));
  };

  const selectRuns = (selection: RunSelection): readonly RunEntry[] =>
    [...logs.values()]
      .filter(({ logId }) => !isSideLog(logId))
      .map((log) => ({ log, entry: toRunEntry(log, locks.holder(log.logId)) }))
      .filter(({ log, entry }) => isSelected(selection, entry, log))
      .map(({ entry }) => entry)
      .sort(newestFirst);

  return {
    logs,
    create: async (request) => create(request),
    appendSide: async (request) => append(request, { raise: false }),
    openDriver: async (runId, options = {}) => locks.open(runId, options),
    holder: async (runId) => locks.holder(runId),

    head: async (logId) => logs.get(logId)?.head ?? null,
    runs: async function* ({ pageMax = runPageSize, ...selection } = {}) {
      yield* splitPages(selectRuns(selection), pageMax);
    },
    countRuns: async (selection = {}) => selectRuns(selection).length,
    runIds: async (prefix, limit) =>
      [...logs.keys()]
        .filter((logId) => !isSideLog(logId) && logId.startsWith(prefix))
        .sort()
        .slice(0, limit),
    read: async function* (logId, { from = 1, to = Number.POSITIVE_INFINITY, types, step } = {}) {
      const events = eventsOf(logId);
      const end = Math.min(to, events.length);
      for (let index = Math.max(from, 1) - 1; index < end; index += pageSize) {
        const page = events
          .slice(index, Math.min(index + pageSize, end))
          .filter(
            (event) =>
              (types === undefined || (isEventType(event.type) && types.includes(event.type))) &&
              (step === undefined || event.step === step),
          );
        const readable = decodeReadable(logId, page);
        if (readable.length > 0) yield readable;
      }
    },
    readBatch: async (logId, { to = Number.POSITIVE_INFINITY, ...batch }) => findOutcomes(logId, batch, to),
    readSuccesses: async function* (logId, { step, fromPass = 1, fromBatch = 0, to, pageMax }) {
      const successes = eventsOf(logId).filter(
        ({ type, step: own, pass, batch, position }) =>
          type === 'BatchSucceeded' && own === step && position <= to && ((pass ?? 0) - fromPass || (batch ?? 0) - fromBatch) >= 0,
      );
      yield* splitPages(
        decodeReadable(logId, successes)
          .filter(isSuccess)
          .sort((a, b) => a.pass - b.pass || a.batch - b.batch),
        pageMax,
      );
    },
    success: async (logId, { to, ...batch }) => findOutcomes(logId, batch, to).find(isSuccess) ?? null,
    unknownEvent: async (logId, to) => {
      for (const stored of eventsOf(logId).slice(0, to)) {
        const read = decodeEvent(stored, logId);
        if (!read.event) return { position: stored.position, reason: read.reason };
      }
      return null;
    },
    positionAt: async (logId, instant) => {
      const time = formatInstant(instant);
      return commitsOf(logId).findLast(({ recordedAt }) => recordedAt <= time)?.last ?? 0;
    },
    asOf: async (logId, position) => {
      const commit = commitsOf(logId).find(({ first, last }) => first <= position && position <= last);
      return commit ? { position, recordedAt: commit.recordedAt, hash: commit.hash } : null;
    },
    unreliableFrom: async (logId) =>
      commitsOf(logId).find((commit) => parseInstant(commit.recordedAt) - parseInstant(commit.clock) > unreliableLead)?.first ?? null,
    lastWriter: async (logId) => commitsOf(logId).at(-1)?.writer ?? null,
    storedEvents: async function* (logId, { from, to }) {
      yield* splitPages(eventsOf(logId).filter(({ position }) => position >= from && position <= to));
    },
    commits: async function* (logId, { from, to }) {
      yield* splitPages(commitsOf(logId).filter(({ first }) => first >= from && first <= to));
    },
  };
}

/** Types of events that record the result of an attempt at a batch. */
const outcomes: ReadonlySet<string> = new Set(['BatchProgressed', 'BatchFailed', 'BatchSucceeded']);

/** Decodes events, without those that this program cannot read. */
const decodeReadable = (logId: string, events: readonly StoredEvent[]): readonly RecordedEvent[] =>
  events.flatMap((stored) => decodeEvent(stored, logId).event ?? []);

const isSuccess = (event: RecordedEvent): event is RecordedEvent<'BatchSucceeded'> => event.type === 'BatchSucceeded';

function* splitPages<Item>(items: readonly Item[], pageMax = pageSize): Generator<readonly Item[]> {
  for (let index = 0; index < items.length; index += pageMax) yield items.slice(index, index + pageMax);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const newestFirst = (a: RunCursor, b: RunCursor): number => compare(b.startedAt, a.startedAt) || compare(b.runId, a.runId);

function isSelected({ pipeline, since, until, before, standing }: RunSelection, entry: RunEntry, { events }: MemoryLog): boolean {
  if (pipeline !== undefined && entry.pipeline !== pipeline) return false;
  if (since !== undefined && entry.startedAt < formatInstant(since)) return false;
  if (until !== undefined && entry.startedAt > formatInstant(until)) return false;
  if (before !== undefined && newestFirst(before, entry) >= 0) return false;
  const newest = events.findLast(({ type }) => isStatusType(type));
  const isFinished = newest?.type === 'RunFinished';
  if (standing === 'open') return !isFinished && newest?.type !== 'RunCancelled';
  if (standing === 'lossy') return isFinished && (JSON.parse(newest.data) as { readonly outcome: string }).outcome !== 'succeeded';
  return true;
}

const isStatusType = (type: string): boolean => statusTypes.some((each) => each === type);

function toRunEntry({ logId, head, events }: MemoryLog, holder: RunEntry['holder']): RunEntry {
  const [started] = events;
  const { manifest } = JSON.parse(started?.data ?? '{}') as { readonly manifest?: { readonly pipeline?: string } };
  return { runId: logId, pipeline: manifest?.pipeline ?? '', startedAt: started?.recordedAt ?? head.recordedAt, head, holder };
}
