import { canonicalJson } from '../kit/json.ts';
import { parseInstant } from '../kit/instant.ts';
import { Fault } from '../kit/fault.ts';
import { chunkVerifier } from './chunk-verifier.ts';
import { isSideLog, type Commit, type Head, type StoredEvent } from './event-log.ts';
import { chainHash, emptyHash, leafHash, rootHash } from './hash-chain.ts';
import { pageCursor, type PageCursor } from './page-cursor.ts';
import type { Store } from './store.ts';

export interface VerifyOptions {
  /** A hash that was kept outside the store. It must be the hash of the head or of an earlier append. */
  readonly expectedHead?: string | undefined;
  /** Whether to read and hash the chunks that events name; default true. */
  readonly chunks?: boolean | undefined;
  /** Aborts the verification with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((position: number, head: number) => void) | undefined;
}

export interface Verified {
  readonly ok: boolean;
  /** Number of verified events, and of different chunks that they name: those of all appends before the first bad one. */
  readonly events: number;
  readonly chunks: number;
  readonly head: { readonly position: number; readonly hash: string };
  /** The first position at which the log differs from what was appended, or null. */
  readonly firstBad: FirstBad | null;
  /**
   * The first event that this version of distilog cannot read, or null. It is not bad. In a side log, which any process may append to, it may be data that is
   * not canonical JSON. In a run's log such data is bad, because only a driver appends there.
   */
  readonly unknown: { readonly position: number; readonly reason: string } | null;
}

/** A position at which a log differs from what was appended, and the reason. */
export interface FirstBad {
  readonly position: number;
  readonly reason: string;
}

/**
 * Computes a log's hash chain and the hash of every chunk again from the stored bytes. Returns the first position that differs from what was appended. If all
 * events were rewritten and the whole chain computed again, only `expectedHead` reveals it. Reads up to the head at the start. Its memory does not grow
 * with the log.
 *
 * Differences are returned. It throws the store's faults, and `Fault('unknown-log')` if there is no such log.
 */
export async function verify(
  { log, chunks: chunkStore }: Pick<Store, 'log' | 'chunks'>,
  logId: string,
  { expectedHead, chunks: withChunks = true, signal, onProgress }: VerifyOptions = {},
): Promise<Verified> {
  const head = await requireHead(log, logId);
  const chunks = chunkVerifier(chunkStore);
  await using events = pageCursor(log.storedEvents(logId, { from: 1, to: head.position }));
  let previous: Commit | null = null;
  let isExpectedFound = expectedHead === undefined;
  let unreadable: Verified['unknown'] = null;

  const result = async (bad: FirstBad | null): Promise<Verified> => ({
    ok: bad === null,
    events: previous?.last ?? 0,
    chunks: chunks.count(),
    head: { position: head.position, hash: head.hash },
    firstBad: bad,
    unknown: unreadable ?? (await log.unknownEvent(logId, head.position)),
  });

  for await (const page of log.commits(logId, { from: 1, to: head.position })) {
    for (const commit of page) {
      signal?.throwIfAborted();
      const { events: appended, bad } = await readAppended(commit, previous, events);
      const illegible = findIllegible(appended);
      if (isSideLog(logId)) unreadable ??= illegible;
      else if (illegible) return result(illegible);
      const found = bad ?? findBadCommit(logId, commit, previous, appended) ?? (withChunks ? await chunks.firstBad(appended) : null);
      if (found) return result(found);
      if (commit.hash === expectedHead?.toLowerCase()) isExpectedFound = true;
      previous = commit;
      onProgress?.(commit.last, head.position);
    }
  }
  const bad = findBadEnd(head, previous, await events.next()) ?? (await findBadBeyond(log, logId, head));
  if (bad || isExpectedFound) return result(bad);
  return result({
    position: head.position,
    reason: `the hash ${expectedHead} is not in the chain: what it covered was rewritten or cut off`,
  });
}

async function requireHead(log: Store['log'], logId: string): Promise<Head> {
  const head = await log.head(logId);
  if (!head) throw new Fault('unknown-log', `There is no log ${logId} in this store.`, { details: { log: logId } });
  return head;
}

/** Reads the events of an append, up to the first one that is missing or bad. */
async function readAppended(
  commit: Commit,
  previous: Commit | null,
  stored: PageCursor<StoredEvent>,
): Promise<{ readonly events: readonly StoredEvent[]; readonly bad: FirstBad | null }> {
  const expected = (previous?.last ?? 0) + 1;
  const events: StoredEvent[] = [];
  if (commit.first !== expected) {
    return { events, bad: { position: expected, reason: `no append has this position: the next one begins at ${commit.first}` } };
  }
  for (let position = commit.first; position <= commit.last; position++) {
    const event = await stored.next();
    if (!event || event.position > position) return { events, bad: { position, reason: 'the event is missing' } };
    if (event.position < position) return { events, bad: { position: event.position, reason: 'there are two events at this position' } };
    const reason = explainBadEvent(event, commit);
    if (reason !== null) return { events, bad: { position, reason } };
    events.push(event);
  }
  return { events, bad: null };
}

function explainBadEvent(event: StoredEvent, commit: Commit): string | null {
  if (leafHash(event) !== event.leaf) return 'the event differs from the hash that was stored with it';
  if (event.recordedAt !== commit.recordedAt)
    return `the event's time is ${event.recordedAt}, but its append's time is ${commit.recordedAt}`;
  return null;
}

/** Finds the first event whose data distilog would not write, although the event has its hash. */
function findIllegible(events: readonly StoredEvent[]): FirstBad | null {
  for (const { position, data } of events) {
    const reason = explainIllegible(data);
    if (reason !== null) return { position, reason };
  }
  return null;
}

function explainIllegible(data: string): string | null {
  try {
    return canonicalJson(JSON.parse(data)) === data ? null : 'the data is not canonical JSON';
  } catch {
    return 'the data is not JSON';
  }
}

function findBadCommit(logId: string, commit: Commit, previous: Commit | null, events: readonly StoredEvent[]): FirstBad | null {
  const { first: position, first, last, recordedAt, clock, appendId, epoch, writer, root } = commit;
  if (events.length === 0) return { position, reason: 'an append without events' };
  if (rootHash(events.map(({ leaf }) => leaf)) !== root) {
    // The hashes do not show which event differs: they were computed again, or the events were reordered.
    const range = first === last ? '' : ` (positions ${first} to ${last}: one of them, or their order)`;
    return { position, reason: `the events are not those of their append${range}` };
  }
  if (previous && recordedAt <= previous.recordedAt) return { position, reason: 'the append is not later than the one before it' };
  const link = { previous: previous?.hash ?? emptyHash, root, logId, first, last, appendId, epoch, writer };
  return chainHash({ ...link, recordedAt: parseInstant(recordedAt), clock: parseInstant(clock) }) === commit.hash
    ? null
    : { position, reason: 'the hash chain is broken: the hash does not follow from the appends before it' };
}

function findBadEnd(head: Head, last: Commit | null, beyond: StoredEvent | undefined): FirstBad | null {
  const end = last?.last ?? 0;
  if (beyond) return { position: beyond.position, reason: 'an event that no append wrote' };
  if (end < head.position) return { position: end + 1, reason: `the tail is cut off: the log ended at position ${head.position}` };
  const isLast = end === head.position && head.hash === (last?.hash ?? emptyHash);
  if (isLast && (!last || (head.epoch === last.epoch && head.recordedAt === last.recordedAt))) return null;
  return { position: head.position, reason: "the log's head is not its last append" };
}

/** Finds events or appends beyond the head that were not appended during the verification: the head was set back. */
async function findBadBeyond(log: Store['log'], logId: string, head: Head): Promise<FirstBad | null> {
  const beyond = { from: head.position + 1, to: Number.MAX_SAFE_INTEGER };
  await using commits = pageCursor(log.commits(logId, beyond));
  await using events = pageCursor(log.storedEvents(logId, beyond));
  const first = (await commits.next())?.first ?? (await events.next())?.position;
  if (first === undefined || (await log.head(logId))?.position !== head.position) return null;
  return { position: first, reason: `it lies beyond the log's head, which is position ${head.position}` };
}
