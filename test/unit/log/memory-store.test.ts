import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../../schema/index.ts';
import { manualClock } from '../../../src/kit/clock.ts';
import { parseInstant } from '../../../src/kit/instant.ts';
import { sha256 } from '../../../src/kit/sha256.ts';
import {
  memoryStore,
  sideLogId,
  verify,
  type AppendRequest,
  type AppendResult,
  type DriverSession,
  type EventLog,
  type MemoryStore,
} from '../../../src/log/index.ts';
import {
  allOf,
  batchAbandoned,
  batchStarted,
  batchSucceeded,
  createRun,
  requestOf,
  runId,
  runStarted,
  stepStarted,
} from './log-fixture.ts';

const start = parseInstant('2026-11-24T10:00:00.000000Z');

async function driven(): Promise<{ store: MemoryStore; log: EventLog; session: DriverSession; clock: ReturnType<typeof manualClock> }> {
  const clock = manualClock(start);
  const store = memoryStore({ clock });
  await createRun(store.log);
  const opened = await store.log.openDriver(runId);
  if (!opened.ok) throw new Error('driven');
  return { store, log: store.log, session: opened.session, clock };
}

const codeOf = (result: AppendResult): string => (result.ok ? 'ok' : result.code);
const positions = (events: readonly { readonly position: number }[]) => events.map(({ position }) => position);

describe('a log in memory', () => {
  it('starts a run and its side log once for one append id', async () => {
    const { log } = memoryStore();
    const request = { ...requestOf([runStarted]), epoch: 1 as const };
    expect(await log.create(request)).toMatchObject({ ok: true, first: 1, last: 1, epoch: 1, duplicate: false });
    expect(await log.create(request)).toMatchObject({ ok: true, first: 1, last: 1, duplicate: true });
    expect(codeOf(await log.create({ ...requestOf([runStarted]), epoch: 1 }))).toBe('already-recorded');
    expect(await log.head(sideLogId(runId))).toMatchObject({ position: 0, epoch: 1 });
  });

  it('stores nothing of a run that could not be started', async () => {
    const { log } = memoryStore();
    const request = { ...requestOf([{ ...runStarted, chunks: ['f'.repeat(64)] }]), epoch: 1 as const };
    expect(codeOf(await log.create(request))).toBe('unknown-chunk');
    expect(await log.head(runId)).toBeNull();
    expect(await log.head(sideLogId(runId))).toBeNull();
  });

  it('gives positions without gaps, and increasing times even if the clock is set back', async () => {
    const { log, session, clock } = await driven();
    clock.set(start - 3_600_000_000);
    expect(await session.append(requestOf([stepStarted(), batchStarted(0)]))).toMatchObject({
      first: 2,
      last: 3,
      recordedAt: '2026-11-24T10:00:00.000001Z',
    });
    expect(await session.append(requestOf([batchStarted(1)]))).toMatchObject({ first: 4, recordedAt: '2026-11-24T10:00:00.000002Z' });
    expect(await log.unreliableFrom(runId)).toBe(2);
    expect(await allOf(log.read(runId))).toMatchObject([{ position: 1 }, { position: 2 }, { position: 3 }, { position: 4 }]);
    expect(await verify({ log, chunks: memoryStore().chunks }, runId)).toMatchObject({ ok: true });
  });

  it('answers a stored append as before, even for a fenced writer', async () => {
    const { log, session } = await driven();
    const request = requestOf([batchStarted(0)]);
    const first = await session.append(request);
    await session.append(requestOf([batchStarted(1)]));
    await session.takeOver({ ...requestOf([stepStarted()]), epoch: 1 });
    expect(await session.append(request)).toEqual({ ...first, duplicate: true });
    expect((await log.head(runId))?.position).toBe(4);
  });

  it.each<[string, readonly NewEvent[], Partial<AppendRequest>]>([
    ['append-id-reused', [batchStarted(9)], { appendId: 'known' }],
    ['fenced', [batchStarted(9)], { epoch: 0 }],
    // An epoch above that of the log: the log is an older copy.
    ['history-diverged', [batchStarted(9)], { epoch: 2 }],
    ['fenced', [batchStarted(9)], { epoch: null }],
    ['history-diverged', [batchStarted(9)], { expectedHash: 'f'.repeat(64) }],
    ['unknown-log', [batchStarted(9)], { logId: 'another' }],
    ['unknown-chunk', [batchSucceeded(9, 1, ['f'.repeat(64)])], {}],
    ['invalid-event', [], {}],
    ['already-recorded', [batchSucceeded(0, 2)], {}],
    ['already-recorded', [batchAbandoned(0, 1)], {}],
    ['already-recorded', [batchSucceeded(9), batchSucceeded(9, 2)], {}],
    ['already-recorded', [batchAbandoned(9), batchSucceeded(9, 1)], {}],
    // The order in which a database checks.
    ['fenced', [batchSucceeded(0, 2)], { epoch: 0, expectedHash: 'f'.repeat(64) }],
    ['already-recorded', [batchSucceeded(0, 2, ['f'.repeat(64)])], {}],
  ])('refuses as %s, and stores nothing', async (code, events, changes) => {
    const { log, session } = await driven();
    await session.append(requestOf([batchStarted(0), batchSucceeded(0)], { appendId: 'known' }));
    const before = await log.head(runId);
    expect(codeOf(await session.append(requestOf([stepStarted(), ...events].slice(events.length === 0 ? 1 : 0), changes)))).toBe(code);
    expect(await log.head(runId)).toEqual(before);
    // The same events are accepted without the refused one.
    expect(codeOf(await session.append(requestOf([stepStarted(), batchSucceeded(9, 3)])))).toBe('ok');
  });

  it('accepts another attempt’s end, another batch’s success, and another pass’s', async () => {
    const { session } = await driven();
    await session.append(requestOf([batchAbandoned(0, 1)]));
    const again = { ...batchSucceeded(0, 1), pass: 2 };
    expect(codeOf(await session.append(requestOf([batchAbandoned(0, 2), batchSucceeded(0, 3), batchSucceeded(1), again])))).toBe('ok');
  });

  it('fences the previous driver when the epoch is raised', async () => {
    const { log, session } = await driven();
    expect(await session.takeOver({ ...requestOf([stepStarted()]), epoch: 1 })).toMatchObject({ ok: true, epoch: 2 });
    expect(await session.append(requestOf([batchStarted(0)]))).toMatchObject({ code: 'fenced', epoch: 2 });
    expect(codeOf(await session.takeOver({ ...requestOf([stepStarted()]), epoch: 1 }))).toBe('fenced');
    expect(codeOf(await session.append(requestOf([batchStarted(0)], { epoch: 2 })))).toBe('ok');
    expect((await log.head(runId))?.epoch).toBe(2);
  });

  it('has one driver per run; seizing the lock ends the other’s connection', async () => {
    const { log, session } = await driven();
    expect(await log.openDriver(runId)).toMatchObject({ ok: false, code: 'driven', holder: { pid: process.pid } });
    expect(await log.openDriver('another')).toMatchObject({ ok: true });
    const seized = await log.openDriver(runId, { seize: true });
    if (!seized.ok) throw new Error('not seized');
    await expect(session.append(requestOf([batchStarted(0)]))).rejects.toMatchObject({ code: 'connection-lost' });
    await expect(session.takeOver({ ...requestOf([batchStarted(0)]), epoch: 1 })).rejects.toMatchObject({ code: 'connection-lost' });
    // Closing a lost session does not release the lock.
    await session.close();
    expect(await log.holder(runId)).not.toBeNull();
    expect(codeOf(await seized.session.append(requestOf([batchStarted(0)])))).toBe('ok');
    await seized.session.close();
    expect(await log.holder(runId)).toBeNull();
    await expect(seized.session.append(requestOf([batchStarted(1)]))).rejects.toMatchObject({ code: 'connection-lost' });
    expect(await log.openDriver(runId)).toMatchObject({ ok: true });
  });

  it('lets any process write to the side log, and to no other', async () => {
    const { log } = await driven();
    const asked: NewEvent = { type: 'PauseRequested', data: { actor: { user: 'bob', host: 'desk', pid: 2 }, message: 'lunch' } };
    const side = { ...requestOf([asked], { logId: sideLogId(runId) }), epoch: null };
    expect(await log.appendSide(side)).toMatchObject({ ok: true, first: 1 });
    expect(await log.appendSide(side)).toMatchObject({ ok: true, first: 1, duplicate: true });
    expect(codeOf(await log.appendSide({ ...side, logId: runId }))).toBe('fenced');
    expect((await log.head(runId))?.position).toBe(1);
  });

  it('reads a range of positions, by type and by step, in pages', async () => {
    const { log, session } = await driven();
    await session.append(
      requestOf(Array.from({ length: 2_500 }, (_, batch) => (batch % 2 === 0 ? batchStarted(batch) : stepStarted('other')))),
    );
    const pages = await Array.fromAsync(log.read(runId));
    expect(pages.length).toBeGreaterThan(1);
    expect(positions(pages.flat())).toEqual(Array.from({ length: 2_501 }, (_, index) => index + 1));
    expect(positions(await allOf(log.read(runId, { from: 3, to: 6 })))).toEqual([3, 4, 5, 6]);
    expect(positions(await allOf(log.read(runId, { from: 3, to: 6, step: 'other' })))).toEqual([3, 5]);
    expect(positions(await allOf(log.read(runId, { to: 6, types: ['BatchStarted', 'RunStarted'] })))).toEqual([1, 2, 4, 6]);
    expect(await allOf(log.read(runId, { from: 2_502 }))).toEqual([]);
    expect(await allOf(log.read('another'))).toEqual([]);
  });

  it('reads a batch, and successes in the order of batches, as of a position', async () => {
    const { log, session } = await driven();
    await session.append(requestOf([batchStarted(1), batchSucceeded(1), batchStarted(0), batchSucceeded(0), batchSucceeded(2)]));
    await session.append(requestOf([{ ...batchSucceeded(1), pass: 2 }]));
    await session.append(requestOf([{ ...batchSucceeded(1), step: 'other' }]));
    const where = { pass: 1, step: 'all' };
    expect(positions(await log.readBatch(runId, { ...where, batch: 1 }))).toEqual([3]);
    expect(positions(await log.readBatch(runId, { ...where, step: 'other', batch: 1 }))).toEqual([8]);
    expect(positions(await log.readBatch(runId, { ...where, batch: 1, to: 2 }))).toEqual([]);
    expect(await log.success(runId, { ...where, batch: 1, to: 7 })).toMatchObject({ position: 3 });
    expect(await log.success(runId, { ...where, batch: 1, to: 2 })).toBeNull();
    expect(positions(await allOf(log.readSuccesses(runId, { step: 'all', to: 7 })))).toEqual([5, 3, 6, 7]);
    expect(positions(await allOf(log.readSuccesses(runId, { step: 'all', fromBatch: 1, to: 6 })))).toEqual([3, 6]);
    expect(positions(await allOf(log.readSuccesses(runId, { step: 'all', fromBatch: 2, to: 7 })))).toEqual([6, 7]);
    expect(positions(await allOf(log.readSuccesses(runId, { step: 'all', fromPass: 2, fromBatch: 1, to: 7 })))).toEqual([7]);
    expect(positions(await allOf(log.readSuccesses(runId, { step: 'all', fromPass: 2, fromBatch: 2, to: 7 })))).toEqual([]);
  });

  it('resolves a time to the last position by then, and a position to its time and hash', async () => {
    const { log, session, clock } = await driven();
    clock.advance(1_000);
    const appended = await session.append(requestOf([batchStarted(0), batchStarted(1)]));
    if (!appended.ok) throw new Error('refused');
    expect(await Promise.all([-1, 0, 999_999, 1_000_000, 9e12].map((after) => log.positionAt(runId, start + after)))).toEqual([
      0, 1, 1, 3, 3,
    ]);
    expect(await log.asOf(runId, 2)).toEqual({ position: 2, recordedAt: appended.recordedAt, hash: appended.hash });
    expect(await log.asOf(runId, 0)).toBeNull();
    expect(await log.asOf(runId, 4)).toBeNull();
    expect(await log.unreliableFrom(runId)).toBeNull();
  });

  it('lists runs, newest first, and finds them by the start of their ids', async () => {
    const clock = manualClock(start);
    const { log } = memoryStore({ clock });
    for (const id of ['numbers-a', 'words-b', 'numbers-c']) {
      await log.create({ ...requestOf([runStarted], { logId: id }), epoch: 1 });
      clock.advance(1);
    }
    const opened = await log.openDriver('words-b');
    expect(opened.ok).toBe(true);
    expect(await allOf(log.runs())).toMatchObject([
      { runId: 'numbers-c', pipeline: 'numbers', holder: null, head: { position: 1 } },
      { runId: 'words-b', holder: { pid: process.pid } },
      { runId: 'numbers-a', startedAt: '2026-11-24T10:00:00.000000Z' },
    ]);
    expect(await log.runIds('numbers', 10)).toEqual(['numbers-a', 'numbers-c']);
    expect(await log.runIds('', 2)).toEqual(['numbers-a', 'numbers-c']);
    expect(await log.runIds('numbers-c/', 2)).toEqual([]);
  });

  it('leaves out events that this version cannot read, and reports the first', async () => {
    const { log, session } = await driven();
    const [event] = requestOf([stepStarted()]).events;
    if (!event) throw new Error('no event');
    await session.append({ ...requestOf([]), events: [event, { ...event, type: 'StepDreamt' }, { ...event, version: 99 }] });
    expect(positions(await allOf(log.read(runId)))).toEqual([1, 2]);
    expect(await log.unknownEvent(runId, 2)).toBeNull();
    expect(await log.unknownEvent(runId, 4)).toMatchObject({ position: 3, reason: expect.stringContaining('StepDreamt') });
  });
});

describe('chunks in memory', () => {
  const bytes = Buffer.from('some rows');
  const address = sha256(bytes);

  it('keep their bytes when the caller reuses its buffer', async () => {
    const { chunks } = memoryStore();
    const buffer = Buffer.from(bytes);
    await chunks.put([{ sha256: address, bytes: buffer }]);
    buffer.fill(0);
    expect(Buffer.from(await chunks.get(address)).toString()).toBe('some rows');
  });

  it('do not change: other bytes under their address are refused', async () => {
    const { chunks } = memoryStore();
    await chunks.put([{ sha256: address, bytes }]);
    await chunks.put([{ sha256: address, bytes }]);
    await expect(chunks.put([{ sha256: address, bytes: Buffer.from('other rows') }])).rejects.toMatchObject({ code: 'chunk-corrupted' });
    expect(Buffer.from(await chunks.get(address)).toString()).toBe('some rows');
  });

  it('cannot be read if they are missing or have other bytes', async () => {
    const { chunks } = memoryStore();
    await expect(chunks.get(address)).rejects.toMatchObject({ code: 'chunk-missing' });
    chunks.bytes.set(address, Buffer.from('other rows'));
    await expect(chunks.get(address)).rejects.toMatchObject({ code: 'chunk-corrupted' });
  });
});
