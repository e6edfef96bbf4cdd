import type { Clock } from '../kit/clock.ts';
import { formatInstant, parseInstant } from '../kit/instant.ts';
import type { EncodedEvent } from './encoded-event.ts';
import {
  isSideLog,
  type Appended,
  type AppendRefusal,
  type AppendRequest,
  type AppendResult,
  type Commit,
  type Head,
  type StoredEvent,
} from './event-log.ts';
import { chainHash, emptyHash, leafHash, rootHash } from './hash-chain.ts';

/** One log in memory. Tests may alter it, as a user with the database's password could. */
export interface MemoryLog {
  readonly logId: string;
  readonly commits: Commit[];
  readonly events: StoredEvent[];
  head: Head;
  /** The unique indexes of the database: appends by id, and the ends of batches and attempts. */
  readonly appends: Map<string, Commit>;
  readonly ends: Set<string>;
}

/** Returns a log without events, at epoch 1. */
export const emptyMemoryLog = (logId: string): MemoryLog => ({
  logId,
  commits: [],
  events: [],
  head: { logId, position: 0, hash: emptyHash, recordedAt: formatInstant(0), epoch: 1 },
  appends: new Map(),
  ends: new Set(),
});

export interface AppendContext {
  readonly clock: Clock;
  /** Whether a chunk is stored. */
  readonly isStored: (sha256: string) => boolean;
  /** Whether the append raises the epoch. */
  readonly raise: boolean;
}

/** Appends all events of a request or none. Makes the same checks as the database's function, in the same order. */
export function appendTo(log: MemoryLog, request: AppendRequest, context: AppendContext): AppendResult {
  const root = rootHash(request.events.map(leafHash));
  const known = log.appends.get(request.appendId);
  if (known) {
    return known.root === root
      ? toAppended(known, true)
      : refusal('append-id-reused', `append ${request.appendId} is known with other events`);
  }
  const refused = checkHead(log, request) ?? checkEvents(log, request.events, context);
  if (refused) return refused;

  const { logId, appendId, writer } = request;
  const { head } = log;
  const clock = context.clock();
  const at = head.position === 0 ? clock : Math.max(clock, parseInstant(head.recordedAt) + 1);
  const epoch = context.raise ? head.epoch + 1 : head.epoch;
  const first = head.position + 1;
  const last = head.position + request.events.length;
  const hash = chainHash({ previous: head.hash, root, logId, first, last, recordedAt: at, clock, appendId, epoch, writer });
  const recordedAt = formatInstant(at);
  const commit: Commit = { first, last, recordedAt, clock: formatInstant(clock), appendId, epoch, writer, root, hash };
  log.head = { logId, position: last, hash, recordedAt, epoch };
  log.commits.push(commit);
  log.appends.set(appendId, commit);
  let position = first;
  for (const event of request.events) {
    log.events.push({ ...event, position: position++, recordedAt, leaf: leafHash(event) });
    for (const key of endKeys(event)) log.ends.add(key);
  }
  return toAppended(commit, false);
}

const toAppended = ({ first, last, recordedAt, hash, epoch }: Commit, duplicate: boolean): Appended => ({
  ok: true,
  first,
  last,
  recordedAt,
  hash,
  epoch,
  duplicate,
});

/** Returns a refusal that is not about epochs. */
export const refusal = (code: AppendRefusal['code'], message: string): AppendRefusal => ({ ok: false, code, message, epoch: null });

function checkHead({ head }: MemoryLog, { logId, epoch, expectedHash }: AppendRequest): AppendRefusal | null {
  if (epoch === null ? !isSideLog(logId) : epoch < head.epoch) {
    return { ...refusal('fenced', `the epoch is ${head.epoch}, and the writer's ${epoch ?? 'none'}`), epoch: head.epoch };
  }
  return (epoch ?? 0) <= head.epoch && (expectedHash === null || expectedHash === head.hash)
    ? null
    : refusal('history-diverged', `the log ends at position ${head.position}, epoch ${head.epoch}, with another hash than the writer saw`);
}

function checkEvents(log: MemoryLog, events: readonly EncodedEvent[], { isStored }: AppendContext): AppendRefusal | null {
  if (events.length === 0) return refusal('invalid-event', 'an append holds at least one event');
  const ends = new Set<string>();
  for (const event of events) {
    if (isEnd(event) && [event.pass, event.step, event.batch, event.attempt].includes(null))
      return refusal('invalid-event', `${event.type} does not name its attempt`);
    for (const key of endKeys(event)) {
      if (log.ends.has(key) || ends.has(key)) return refusal('already-recorded', `${key} has been recorded`);
      ends.add(key);
    }
  }
  const missing = events.flatMap(({ chunks }) => chunks).find((sha256) => !isStored(sha256));
  return missing === undefined ? null : refusal('unknown-chunk', `chunk ${missing} is not stored`);
}

/** Returns unique keys of what an event ends: a batch has one success, and an attempt has one end. */
function endKeys({ type, pass, step, batch, attempt }: EncodedEvent): readonly string[] {
  const end = `the end of pass ${pass}, step ${step}, batch ${batch}, attempt ${attempt}`;
  if (type === 'BatchSucceeded') return [`the success of pass ${pass}, step ${step}, batch ${batch}`, end];
  return isEnd({ type }) ? [end] : [];
}

const isEnd = ({ type }: Pick<EncodedEvent, 'type'>): boolean =>
  type === 'BatchSucceeded' || type === 'BatchFailed' || type === 'BatchAbandoned';
