import { describe, expect, it } from 'vitest';
import type { MemoryLog } from '../../../src/log/memory-log.ts';
import { Fault } from '../../../src/kit/fault.ts';
import { parseInstant } from '../../../src/kit/instant.ts';
import { sha256 } from '../../../src/kit/sha256.ts';
import {
  chainHash,
  emptyHash,
  leafHash,
  memoryStore,
  rootHash,
  sideLogId,
  verify,
  type Commit,
  type MemoryStore,
  type StoredEvent,
} from '../../../src/log/index.ts';
import { batchStarted, batchSucceeded, createRun, openRun, requestOf, runId, stepStarted } from './log-fixture.ts';

const chunksOf = (...texts: string[]) => texts.map((text) => ({ sha256: sha256(text), bytes: Buffer.from(text) }));
const [one, two] = chunksOf('one', 'two') as [{ sha256: string; bytes: Buffer }, { sha256: string; bytes: Buffer }];

/** Eleven events in five appends: 1 | 2 3 4 | 5 | 6 7 8 9 | 10 11. */
async function intact(): Promise<MemoryStore> {
  const store = memoryStore();
  await store.chunks.put([one, two]);
  const appender = await openRun(store.log);
  await appender.append([stepStarted(), batchStarted(0), batchStarted(1)]);
  await appender.append([batchSucceeded(0, 1, [one.sha256])]);
  await appender.append([batchSucceeded(1, 1, [one.sha256, two.sha256]), batchStarted(2), batchStarted(3), batchSucceeded(3)]);
  await appender.append([batchStarted(4), batchStarted(5)]);
  await appender.close();
  return store;
}

const logOf = (store: MemoryStore): MemoryLog => {
  const log = store.log.logs.get(runId);
  if (!log) throw new Error('no log');
  return log;
};

/** Changes the event at a position. */
function alter(log: MemoryLog, position: number, changes: Partial<StoredEvent>): void {
  const index = log.events.findIndex((event) => event.position === position);
  log.events[index] = { ...(log.events[index] as StoredEvent), ...changes };
}

/** Changes the append that contains a position. */
function alterCommit(log: MemoryLog, position: number, changes: Partial<Commit>): void {
  const index = log.commits.findIndex(({ first, last }) => first <= position && position <= last);
  log.commits[index] = { ...(log.commits[index] as Commit), ...changes };
}

/** Computes the hashes of events again, as a skilled forger would. */
function withLeaves(log: MemoryLog): void {
  log.events.splice(0, log.events.length, ...log.events.map((event) => ({ ...event, leaf: leafHash(event) })));
}

function withRoots(log: MemoryLog): void {
  for (const commit of log.commits) {
    const leaves = log.events.filter(({ position }) => position >= commit.first && position <= commit.last).map(({ leaf }) => leaf);
    alterCommit(log, commit.first, { root: rootHash(leaves) });
  }
}

function withChain(log: MemoryLog): void {
  let previous = emptyHash;
  for (const commit of log.commits) {
    const { recordedAt, clock } = commit;
    previous = chainHash({ ...commit, logId: log.logId, previous, recordedAt: parseInstant(recordedAt), clock: parseInstant(clock) });
    alterCommit(log, commit.first, { hash: previous });
  }
  log.head = { ...log.head, hash: previous };
}

const remove = (log: MemoryLog, position: number): void => {
  const index = log.events.findIndex((event) => event.position === position);
  log.events.splice(index, 1);
};

const swap = (log: MemoryLog, a: number, b: number, keep: (from: StoredEvent) => Partial<StoredEvent>): void => {
  const [first, second] = [log.events[a - 1] as StoredEvent, log.events[b - 1] as StoredEvent];
  log.events[a - 1] = { ...second, position: a, ...keep(first) };
  log.events[b - 1] = { ...first, position: b, ...keep(second) };
};

/** Alterations of the store, each with the position and reason that must be reported. */
const forgeries: readonly (readonly [string, (log: MemoryLog, store: MemoryStore) => void, number, RegExp])[] = [
  ['data altered', (log) => alter(log, 7, { data: '{}' }), 7, /differs from the hash/],
  [
    'one byte of data altered',
    (log) => alter(log, 3, { data: (log.events[2] as StoredEvent).data.replace('10', '11') }),
    3,
    /differs from the hash/,
  ],
  ['a type altered', (log) => alter(log, 9, { type: 'BatchFailed' }), 9, /differs from the hash/],
  ['a version altered', (log) => alter(log, 9, { version: 2 }), 9, /differs from the hash/],
  ['a pass altered', (log) => alter(log, 9, { pass: 2 }), 9, /differs from the hash/],
  ['a step altered', (log) => alter(log, 9, { step: 'other' }), 9, /differs from the hash/],
  ['a batch altered', (log) => alter(log, 9, { batch: 4 }), 9, /differs from the hash/],
  ['an attempt altered', (log) => alter(log, 9, { attempt: null }), 9, /differs from the hash/],
  ['a chunk taken from an event', (log) => alter(log, 5, { chunks: [] }), 5, /differs from the hash/],
  ['chunks put in another order', (log) => alter(log, 6, { chunks: [two.sha256, one.sha256] }), 6, /differs from the hash/],
  ['an event’s time altered', (log) => alter(log, 8, { recordedAt: '2026-01-01T00:00:00.000000Z' }), 8, /time is 2026-01-01/],
  [
    'data altered, and its hash',
    (log) => {
      alter(log, 7, { data: '{}' });
      withLeaves(log);
    },
    6,
    /not those of their append/,
  ],
  [
    'data altered, its hash, and that of its append',
    (log) => {
      alter(log, 7, { data: '{}' });
      withLeaves(log);
      withRoots(log);
    },
    6,
    /chain is broken/,
  ],
  [
    'data that is not canonical, with all hashes',
    (log) => {
      alter(log, 7, { data: '{"b":1,"a":2}' });
      withLeaves(log);
      withRoots(log);
      withChain(log);
    },
    7,
    /not canonical JSON/,
  ],
  [
    'data that is not JSON, with all hashes',
    (log) => {
      alter(log, 7, { data: '{' });
      withLeaves(log);
      withRoots(log);
      withChain(log);
    },
    7,
    /not JSON/,
  ],
  ['the first event deleted', (log) => remove(log, 1), 1, /missing/],
  ['an event in the middle deleted', (log) => remove(log, 7), 7, /missing/],
  ['the last event deleted', (log) => remove(log, 11), 11, /missing/],
  [
    'an event deleted, the others moved up',
    (log) => {
      remove(log, 7);
      for (let position = 8; position <= 11; position++) alter(log, position, { position: position - 1 });
    },
    // Each event is good by itself. It shows where the times of two appends meet.
    9,
    /time/,
  ],
  [
    'an append deleted, with its events',
    (log) => {
      remove(log, 5);
      log.commits.splice(2, 1);
    },
    5,
    /no append has this position: the next one begins at 6/,
  ],
  ['the first append deleted', (log) => log.commits.splice(0, 1), 1, /no append has this position/],
  ['an append deleted, its events left', (log) => log.commits.splice(3, 1), 6, /no append has this position/],
  ['an event inserted twice', (log) => log.events.splice(7, 0, log.events[6] as StoredEvent), 7, /two events/],
  [
    'an event inserted, the others moved down',
    (log) => {
      for (let position = 11; position >= 7; position--) alter(log, position, { position: position + 1 });
      log.events.splice(6, 0, { ...(log.events[6] as StoredEvent), position: 7 });
    },
    6,
    /not those of their append/,
  ],
  ['two events of an append swapped', (log) => swap(log, 7, 8, () => ({})), 6, /not those of their append/],
  ['two events of different appends swapped', (log) => swap(log, 4, 7, () => ({})), 4, /time/],
  [
    'two events of different appends swapped, times left',
    (log) => swap(log, 4, 7, ({ recordedAt }) => ({ recordedAt })),
    2,
    /not those of their append/,
  ],
  ['the tail cut off', (log) => cutFrom(log, 10), 10, /tail is cut off: the log ended at position 11/],
  [
    'the tail cut off, but for its append',
    (log) => {
      remove(log, 10);
      remove(log, 11);
    },
    10,
    /missing/,
  ],
  ['all events and appends cut off', (log) => cutFrom(log, 1), 1, /tail is cut off/],
  ['the head set back', (log) => headAt(log, log.commits.at(-2) as Commit), 10, /lies beyond the log's head, which is position 9/],
  ['the head’s hash altered', (log) => (log.head = { ...log.head, hash: 'f'.repeat(64) }), 11, /head is not its last append/],
  ['the head’s epoch altered', (log) => (log.head = { ...log.head, epoch: 2 }), 11, /head is not its last append/],
  [
    'the head’s time altered',
    (log) => (log.head = { ...log.head, recordedAt: '2030-01-01T00:00:00.000000Z' }),
    11,
    /head is not its last append/,
  ],
  ['the last append deleted, its events left', (log) => log.commits.pop(), 10, /an event that no append wrote/],
  ['an append’s id altered', (log) => alterCommit(log, 6, { appendId: 'other' }), 6, /chain is broken/],
  ['an append’s writer altered', (log) => alterCommit(log, 6, { writer: 'bob@engine:1' }), 6, /chain is broken/],
  ['an append’s epoch altered', (log) => alterCommit(log, 6, { epoch: 2 }), 6, /chain is broken/],
  ['an append’s clock altered', (log) => alterCommit(log, 6, { clock: '2026-01-01T00:00:00.000000Z' }), 6, /chain is broken/],
  ['an append’s hash altered', (log) => alterCommit(log, 6, { hash: 'f'.repeat(64) }), 6, /chain is broken/],
  [
    'a time set back, of an append and its events, with all hashes',
    (log) => {
      for (let position = 6; position <= 9; position++) alter(log, position, { recordedAt: '2020-01-01T00:00:00.000000Z' });
      alterCommit(log, 6, { recordedAt: '2020-01-01T00:00:00.000000Z' });
      withChain(log);
    },
    6,
    /not later than the one before/,
  ],
  ['two appends merged into one', (log) => mergeLast(log), 10, /time/],
  ['a chunk deleted', (_log, store) => store.chunks.bytes.delete(two.sha256), 6, /not stored/],
  ['a chunk altered', (_log, store) => store.chunks.bytes.set(one.sha256, Buffer.from('uno')), 5, /does not have the bytes/],
];

function cutFrom(log: MemoryLog, position: number): void {
  log.events.splice(0, log.events.length, ...log.events.filter((event) => event.position < position));
  log.commits.splice(0, log.commits.length, ...log.commits.filter(({ first }) => first < position));
}

function headAt(log: MemoryLog, { last: position, hash, recordedAt, epoch }: Commit): void {
  log.head = { logId: log.logId, position, hash, recordedAt, epoch };
}

function mergeLast(log: MemoryLog): void {
  const last = log.commits.pop() as Commit;
  alterCommit(log, 6, { last: last.last });
}

describe('verifying a log', () => {
  it('finds nothing in an unaltered log', async () => {
    const store = await intact();
    const progress: number[] = [];
    const found = await verify(store, runId, { onProgress: (position, head) => progress.push(position, head) });
    const { head } = logOf(store);
    expect(found).toEqual({
      ok: true,
      events: 11,
      chunks: 2,
      head: { position: 11, hash: head.hash },
      firstBad: null,
      unknown: null,
    });
    expect(progress).toEqual([1, 11, 4, 11, 5, 11, 9, 11, 11, 11]);
    expect(await verify(store, `${runId}/side`)).toMatchObject({ ok: true, events: 0 });
  });

  it.each(forgeries)('finds %s', async (_what, forge, position, reason) => {
    const store = await intact();
    forge(logOf(store), store);
    const found = await verify(store, runId);
    expect(found).toMatchObject({ ok: false, firstBad: { position, reason: expect.stringMatching(reason) } });
    expect(found.events).toBeLessThanOrEqual(position);
  });

  it('finds a completely rewritten log by a hash kept elsewhere, and only by that', async () => {
    const store = await intact();
    const log = logOf(store);
    const noted = log.head.hash;
    const earlier = (log.commits[1] as Commit).hash;
    expect(await verify(store, runId, { expectedHead: noted.toUpperCase() })).toMatchObject({ ok: true });
    expect(await verify(store, runId, { expectedHead: earlier })).toMatchObject({ ok: true });

    alter(log, 7, { data: '{}' });
    withLeaves(log);
    withRoots(log);
    withChain(log);
    expect(await verify(store, runId)).toMatchObject({ ok: true });
    expect(await verify(store, runId, { expectedHead: earlier })).toMatchObject({ ok: true });
    expect(await verify(store, runId, { expectedHead: noted })).toMatchObject({
      ok: false,
      firstBad: { position: 11, reason: expect.stringContaining(noted) },
    });
  });

  it('finds a tail that was cut off with its head by a hash kept elsewhere', async () => {
    const store = await intact();
    const log = logOf(store);
    const noted = log.head.hash;
    cutFrom(log, 10);
    headAt(log, log.commits.at(-1) as Commit);
    expect(await verify(store, runId)).toMatchObject({ ok: true, events: 9 });
    expect(await verify(store, runId, { expectedHead: noted })).toMatchObject({ ok: false });
  });

  it('does not read chunks if they are excluded', async () => {
    const store = await intact();
    store.chunks.bytes.clear();
    expect(await verify(store, runId, { chunks: false })).toMatchObject({ ok: true, chunks: 0 });
  });

  it('reads a chunk once, however many events name it', async () => {
    const store = await intact();
    const read: string[] = [];
    const chunks = {
      ...store.chunks,
      get: (address: string) => {
        read.push(address);
        return store.chunks.get(address);
      },
    };
    await verify({ ...store, chunks }, runId);
    expect(read).toEqual([one.sha256, two.sha256]);
  });

  it('does not report an unreachable store as altered', async () => {
    const store = await intact();
    const chunks = { ...store.chunks, get: () => Promise.reject(new Fault('connection-lost', 'away')) };
    await expect(verify({ ...store, chunks }, runId)).rejects.toMatchObject({ code: 'connection-lost' });
  });

  it('reports events that this version cannot read, but not as bad', async () => {
    const store = memoryStore();
    await createRun(store.log);
    const opened = await store.log.openDriver(runId);
    if (!opened.ok) throw new Error('driven');
    const [event] = requestOf([stepStarted()]).events;
    if (!event) throw new Error('no event');
    await opened.session.append({ ...requestOf([]), events: [{ ...event, type: 'StepDreamt' }] });
    expect(await verify(store, runId)).toMatchObject({
      ok: true,
      events: 2,
      unknown: { position: 2, reason: expect.stringContaining('StepDreamt') },
    });
  });

  it.each([
    ['{', 'the data is not JSON'],
    ['{"b":1,"a":2}', 'the data is not canonical JSON'],
  ])('reports data of a side log that distilog would not write, but not as bad: %s', async (data, reason) => {
    const store = memoryStore();
    await createRun(store.log);
    const append = (own: string) =>
      store.log.appendSide({
        logId: sideLogId(runId),
        epoch: null,
        appendId: own,
        expectedHash: null,
        writer: 'stranger',
        events: [{ type: 'PauseRequested', version: 1, pass: null, step: null, batch: null, attempt: null, chunks: [], data: own }],
      });
    for (const each of ['{"a":1}', data, '{"a":2}']) await append(each);
    expect(await verify(store, sideLogId(runId))).toMatchObject({ ok: true, events: 3, firstBad: null, unknown: { position: 2, reason } });
    // It does not hide an alteration.
    const log = store.log.logs.get(sideLogId(runId)) as MemoryLog;
    alter(log, 2, { data: '[' });
    expect(await verify(store, sideLogId(runId))).toMatchObject({ ok: false, firstBad: { position: 2 } });
  });

  it('accepts a log that grows meanwhile', async () => {
    const store = memoryStore();
    const appender = await openRun(store.log);
    const grow = async () => {
      await appender.append([batchStarted(appender.position)]);
    };
    const log = { ...store.log };
    for (const method of ['commits', 'storedEvents'] as const) {
      const read = store.log[method] as (logId: string, range: { from: number; to: number }) => AsyncIterable<readonly never[]>;
      Object.assign(log, {
        [method]: async function* (logId: string, range: { from: number; to: number }) {
          await grow();
          yield* read(logId, range);
          await grow();
        },
      });
    }
    for (let round = 0; round < 10; round++) expect(await verify({ ...store, log }, runId)).toMatchObject({ ok: true });
  });

  it('ends when its signal aborts', async () => {
    const store = await intact();
    const stop = new AbortController();
    const ended = verify(store, runId, { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    await expect(ended).rejects.toThrow('enough');
  });

  it('refuses an unknown log', async () => {
    await expect(verify(memoryStore(), 'another')).rejects.toMatchObject({ code: 'unknown-log' });
  });
});
