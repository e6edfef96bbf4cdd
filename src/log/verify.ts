import { canonicalJson } from '#kit/json';
import { parseInstant } from '#kit/instant';
import { messageOf } from '#kit/fault';
import type { Commit, StoredEvent } from './event-log.ts';
import { chainHash, emptyHash, leafHash, rootHash } from './hash-chain.ts';
import type { Store } from './store.ts';

export interface VerifyOptions {
  /** A hash that was noted outside of the store: it must be the head's, or have been. */
  readonly expectedHead?: string | undefined;
  readonly onProgress?: ((position: number, head: number) => void) | undefined;
}

export interface Verified {
  readonly ok: boolean;
  readonly events: number;
  readonly chunks: number;
  readonly head: { readonly position: number; readonly hash: string };
  /** The first position at which the log is not what was appended, and how it shows. */
  readonly firstBad: { readonly position: number; readonly reason: string } | null;
}

type Bad = NonNullable<Verified['firstBad']>;

/**
 * Computes a log's hash chain anew from what is stored, and every chunk's hash, and names the first position that is not what was appended. Somebody
 * who rewrites events and recomputes the whole chain is found by `expectedHead` only. Streams; throws `Fault`s of the store, not what it finds.
 */
export async function verify(
  store: Pick<Store, 'log' | 'chunks'>,
  logId: string,
  { expectedHead, onProgress }: VerifyOptions = {},
): Promise<Verified> {
  const { log } = store;
  const head = (await log.head(logId)) ?? { position: 0, hash: emptyHash };
  const chunks = chunkChecker(store);
  const events = paged((from, to) => log.storedEvents(logId, { from, to }));
  let previous: Commit | null = null;
  let seen = 0;
  let isExpectedFound = expectedHead === undefined;
  let firstBad: Bad | null = null;
  const all = log.commits(logId, { from: 1, to: Number.MAX_SAFE_INTEGER });

  scan: for await (const page of all) {
    for (const commit of page) {
      const of: StoredEvent[] = [];
      const expected: number = (previous?.last ?? 0) + 1;
      // Positions are asked for one by one: what was deleted is missed at its own place.
      firstBad = commit.first === expected ? null : { position: expected, reason: `the next append begins at position ${commit.first}` };
      for (let position = commit.first; position <= commit.last && !firstBad; position++) {
        const event = await events.at(position);
        firstBad = event ? (badEvent(event, commit) ?? (await chunks.check(event))) : { position, reason: 'the event is missing' };
        if (event) of.push(event);
      }
      firstBad ??= badCommit(logId, commit, previous, of);
      if (firstBad) break scan;
      if (commit.hash === expectedHead) isExpectedFound = true;
      seen += of.length;
      previous = commit;
      onProgress?.(commit.last, head.position);
    }
  }
  firstBad ??= badEnd(head, previous, await events.at((previous?.last ?? 0) + 1));
  if (!firstBad && !isExpectedFound) {
    firstBad = {
      position: head.position,
      reason: `the hash ${expectedHead} is not in the chain: what it covered was rewritten or cut off`,
    };
  }
  return { ok: firstBad === null, events: seen, chunks: chunks.count(), head: { position: head.position, hash: head.hash }, firstBad };
}

function badEvent(event: StoredEvent, commit: Commit): Bad | null {
  const { position } = event;
  if (leafHash(event) !== event.leaf) return { position, reason: 'the event is not the one whose hash was stored with it' };
  if (event.recordedAt !== commit.recordedAt) return { position, reason: `the event's time is not its append's, ${commit.recordedAt}` };
  try {
    if (canonicalJson(JSON.parse(event.data)) !== event.data) return { position, reason: 'the data is not canonical JSON' };
  } catch {
    return { position, reason: 'the data is not JSON' };
  }
  return null;
}

function badCommit(logId: string, commit: Commit, previous: Commit | null, events: readonly StoredEvent[]): Bad | null {
  const position = commit.first;
  if (previous && commit.recordedAt <= previous.recordedAt) return { position, reason: 'the append is not later than the one before' };
  if (rootHash(events.map(({ leaf }) => leaf)) !== commit.root) return { position, reason: 'the events are not those of their append' };
  const { root, first, last, appendId, epoch, writer } = commit;
  const link = { previous: previous?.hash ?? emptyHash, root, logId, first, last, appendId, epoch, writer };
  const hash = chainHash({ ...link, recordedAt: parseInstant(commit.recordedAt), clock: parseInstant(commit.clock) });
  return hash === commit.hash
    ? null
    : { position, reason: 'the append does not follow from the one before: the hash chain is broken here' };
}

function badEnd(
  head: { readonly position: number; readonly hash: string },
  last: Commit | null,
  beyond: StoredEvent | undefined,
): Bad | null {
  const position = (last?.last ?? 0) + 1;
  if (beyond) return { position: beyond.position, reason: 'an event that no append wrote' };
  if (head.position > (last?.last ?? 0)) return { position, reason: `the log ended at position ${head.position}: its tail is cut off` };
  if (head.hash !== (last?.hash ?? emptyHash)) return { position: head.position, reason: 'the head is not the last append' };
  return null;
}

/** Addresses of chunks found good that are remembered, so that one that many events name is read once. */
const checkedMax = 100_000;

function chunkChecker({ chunks }: Pick<Store, 'chunks'>): { check(event: StoredEvent): Promise<Bad | null>; count(): number } {
  const good = new Set<string>();
  let count = 0;
  return {
    count: () => count,
    check: async ({ position, chunks: addresses }) => {
      for (const address of addresses) {
        if (good.has(address)) continue;
        try {
          await chunks.get(address);
        } catch (error) {
          return { position, reason: messageOf(error) };
        }
        if (good.size >= checkedMax) good.clear();
        good.add(address);
        count++;
      }
      return null;
    },
  };
}

const windowSize = 2_000;

/** Events by position, read ahead in pages of positions; asked for in ascending order. */
function paged(read: (from: number, to: number) => AsyncIterable<readonly StoredEvent[]>): {
  at(position: number): Promise<StoredEvent | undefined>;
} {
  let window = new Map<number, StoredEvent>();
  let until = 0;
  return {
    at: async (position) => {
      if (position > until) {
        window = new Map();
        until = position + windowSize - 1;
        for await (const page of read(position, until)) for (const event of page) window.set(event.position, event);
      }
      return window.get(position);
    },
  };
}
