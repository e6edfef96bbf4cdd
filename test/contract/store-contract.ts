import { describe, expect, it } from 'vitest';
import { batchSucceeded as succeeded } from '../fixtures/events.ts';
import { actor } from '../fixtures/actor.ts';
import type { NewEvent } from '../../schema/index.ts';
import { parseInstant } from '../../src/kit/instant.ts';
import { newId } from '../../src/kit/ids.ts';
import { pause } from '../../src/kit/pause.ts';
import { sha256 } from '../../src/kit/sha256.ts';
import { nearest } from '../unit/log/kept-snapshots.ts';
import {
  chainHash,
  emptyHash,
  encodeEvent,
  leafHash,
  rootHash,
  sideLogId,
  explainUnnamed,
  verify,
  type Appended,
  type AppendRequest,
  type AppendResult,
  type Chunk,
  type DriverSession,
  type SnapshotKey,
  type Store,
  type StoredSnapshot,
  type RunSelection,
} from '../../src/log/index.ts';

/** Behaviour of every store. `open` returns a store that other cases may have written to. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}, like any store,`, () => {
    it('gives an append the next positions, without gaps, and one time', async () => {
      const { store, runId, session, started } = await begun(open);
      const first = ok(await session.append(request(runId, started, [stepStarted('a'), batchStarted(0)])));
      const second = ok(await session.append(request(runId, first, [batchStarted(1)])));
      expect([first.first, first.last, second.first, second.last]).toEqual([2, 3, 4, 4]);
      expect(second.recordedAt > first.recordedAt).toBe(true);
      const events = await readAll(store, runId);
      expect(events.map(({ position, type }) => [position, type])).toEqual([
        [1, 'RunStarted'],
        [2, 'StepStarted'],
        [3, 'BatchStarted'],
        [4, 'BatchStarted'],
      ]);
      expect(await store.log.head(runId)).toMatchObject({ position: 4, hash: second.hash, epoch: 1 });
    });

    it('computes the hash chain that verify computes', async () => {
      const { store, runId, session, started } = await begun(open);
      const appended = ok(await session.append(request(runId, started, [batchStarted(0), batchSucceeded(0)])));
      const commits = (await Array.fromAsync(store.log.commits(runId, { from: 1, to: 10 }))).flat();
      const stored = (await Array.fromAsync(store.log.storedEvents(runId, { from: 1, to: 10 }))).flat();
      let previous = emptyHash;
      for (const commit of commits) {
        const leaves = stored.filter(({ position }) => position >= commit.first && position <= commit.last).map((event) => leafHash(event));
        const { first, last, appendId, epoch, writer } = commit;
        previous = chainHash({
          previous,
          root: rootHash(leaves),
          logId: runId,
          first,
          last,
          appendId,
          epoch,
          writer,
          recordedAt: parseInstant(commit.recordedAt),
          clock: parseInstant(commit.clock),
        });
        expect(commit.hash).toBe(previous);
      }
      expect(previous).toBe(appended.hash);
      expect(await verify(store, runId)).toMatchObject({ ok: true, events: 3 });
    });

    it('answers an append that is sent again with its first result', async () => {
      const { store, runId, session, started } = await begun(open);
      const sent = request(runId, started, [batchStarted(0)]);
      const first = ok(await session.append(sent));
      ok(await session.append(request(runId, first, [batchStarted(1)])));
      expect(ok(await session.append(sent))).toEqual({ ...first, duplicate: true });
      expect((await store.log.head(runId))?.position).toBe(3);
    });

    it('refuses other events under a known append id', async () => {
      const { runId, session, started } = await begun(open);
      const sent = request(runId, started, [batchStarted(0)]);
      ok(await session.append(sent));
      for (const events of [[encodeEvent(batchStarted(1))], []]) {
        expect(await session.append({ ...sent, events })).toMatchObject({ ok: false, code: 'append-id-reused' });
      }
    });

    it('refuses a writer that has not seen the head', async () => {
      const { runId, session, started } = await begun(open);
      ok(await session.append(request(runId, started, [batchStarted(0)])));
      expect(await session.append(request(runId, started, [batchStarted(1)]))).toMatchObject({ ok: false, code: 'history-diverged' });
    });

    it('fences the previous driver after a takeover, and stores none of its events', async () => {
      const { store, runId, session, started } = await begun(open);
      const taken = ok(await session.takeOver({ ...request(runId, started, [resumed(2)]), epoch: 1 }));
      expect(taken.epoch).toBe(2);
      expect(await session.append({ ...request(runId, taken, [batchStarted(0)]), epoch: 1 })).toMatchObject({
        ok: false,
        code: 'fenced',
        epoch: 2,
      });
      expect(await session.append({ ...request(runId, taken, [batchStarted(0)]), epoch: null })).toMatchObject({
        ok: false,
        code: 'fenced',
      });
      expect((await store.log.head(runId))?.position).toBe(2);
      expect(ok(await session.append({ ...request(runId, taken, [batchStarted(0)]), epoch: 2 })).last).toBe(3);
    });

    it('records one success of a batch, and one end of an attempt', async () => {
      const { runId, session, started } = await begun(open);
      const done = ok(await session.append(request(runId, started, [batchSucceeded(0)])));
      for (const again of [batchSucceeded(0), { ...batchSucceeded(0), attempt: 2 }, abandoned(0)]) {
        expect(await session.append(request(runId, done, [again]))).toMatchObject({ ok: false, code: 'already-recorded' });
      }
      expect(await session.append(request(runId, done, [batchSucceeded(1), batchSucceeded(1)]))).toMatchObject({
        ok: false,
        code: 'already-recorded',
      });
      ok(await session.append(request(runId, done, [batchSucceeded(1), { ...batchSucceeded(0), pass: 2 }])));
    });

    it('refuses an event that names a chunk which is not stored', async () => {
      const { store, runId, session, started } = await begun(open);
      const chunk = chunkOf(`rows ${newId()}`);
      const success = { ...batchSucceeded(0), chunks: [chunk.sha256, chunk.sha256] };
      expect(await session.append(request(runId, started, [success]))).toMatchObject({ ok: false, code: 'unknown-chunk' });
      await store.chunks.put([chunk, chunk]);
      ok(await session.append(request(runId, started, [success])));
      expect((await readAll(store, runId)).at(-1)?.chunks).toEqual([chunk.sha256, chunk.sha256]);
    });

    it('stores inline chunks once, and no event that names them if the append is refused', async () => {
      const { store, runId, session, started } = await begun(open);
      const many = Array.from({ length: 3 }, (_, n) => chunkOf(`brought ${n} ${newId()} `.repeat(10 ** n * 5)));
      const packed = await store.chunks.pack(many);
      const success = (batch: number, brought = many) => ({
        ...batchSucceeded(batch),
        chunks: brought.map(({ sha256: address }) => address),
      });
      const sent = { ...request(runId, started, [success(0), success(1)]), brings: [...packed, ...packed] };
      const done = ok(await session.append(sent));
      expect(ok(await session.append(sent))).toEqual({ ...done, duplicate: true });
      for (const { sha256: address, bytes } of many) expect(Buffer.from(await store.chunks.get(address))).toEqual(bytes);
      const other = chunkOf(`other ${newId()}`);
      const brings = await store.chunks.pack([other]);
      expect(await session.append({ ...request(runId, done, [success(0, [other])]), brings })).toMatchObject({ code: 'already-recorded' });
      expect(await session.append({ ...request(runId, done, [success(2, [other])]), expectedHash: started.hash, brings })).toMatchObject({
        ok: false,
      });
      expect(await session.append(request(runId, done, [success(2, [other])]))).toMatchObject({ code: 'unknown-chunk' });
      ok(await session.append({ ...request(runId, done, [success(2, [other])]), brings }));
      expect(Buffer.from(await store.chunks.get(other.sha256))).toEqual(other.bytes);
      expect(await verify(store, runId)).toMatchObject({ ok: true });
    });

    it('refuses an append without events', async () => {
      const { store, runId, session, started } = await begun(open);
      expect(await session.append(request(runId, started, []))).toMatchObject({ ok: false, code: 'invalid-event' });
      expect((await store.log.head(runId))?.position).toBe(1);
    });

    it('answers a fenced writer’s stored append, and returns the first of several refusals', async () => {
      const { runId, session, started } = await begun(open);
      const sent = request(runId, started, [batchSucceeded(0)]);
      const first = ok(await session.append(sent));
      const taken = ok(await session.takeOver({ ...request(runId, first, [resumed(2)]), epoch: 1 }));
      expect(ok(await session.append(sent))).toEqual({ ...first, duplicate: true });
      const again = { ...batchSucceeded(0), chunks: [sha256(newId())] };
      expect(await session.append(request(runId, started, [again]))).toMatchObject({ ok: false, code: 'fenced', epoch: 2 });
      expect(await session.append({ ...request(runId, started, [again]), epoch: 2 })).toMatchObject({ code: 'history-diverged' });
      expect(await session.append({ ...request(runId, taken, [again]), epoch: 2 })).toMatchObject({ code: 'already-recorded' });
    });

    it('stores nothing of a run that could not be started', async () => {
      const store = await open();
      const runId = `contract-${newId()}`;
      const creation = { ...request(runId, null, [{ ...runStarted, chunks: [sha256(newId())] }]), epoch: 1 as const };
      expect(await store.log.create(creation)).toMatchObject({ ok: false, code: 'unknown-chunk' });
      expect(await store.log.head(runId)).toBeNull();
      expect(await store.log.head(sideLogId(runId))).toBeNull();
      ok(await store.log.create({ ...request(runId, null, [runStarted]), epoch: 1 }));
    });

    it('reads appends by the position of their first event', async () => {
      const { store, runId, session, started } = await begun(open);
      const second = ok(await session.append(request(runId, started, [batchStarted(0), batchStarted(1), batchStarted(2)])));
      ok(await session.append(request(runId, second, [batchStarted(3)])));
      const firsts = async (from: number, to: number) =>
        (await Array.fromAsync(store.log.commits(runId, { from, to }))).flat().map(({ first }) => first);
      expect(await firsts(1, 3)).toEqual([1, 2]);
      expect(await firsts(3, Number.MAX_SAFE_INTEGER)).toEqual([5]);
      expect(await firsts(6, Number.MAX_SAFE_INTEGER)).toEqual([]);
    });

    it('creates one run if the request is sent twice, and refuses another of the same name', async () => {
      const store = await open();
      const runId = `contract-${newId()}`;
      const creation = { ...request(runId, null, [runStarted]), epoch: 1 as const };
      const first = ok(await store.log.create(creation));
      expect(ok(await store.log.create(creation))).toEqual({ ...first, duplicate: true });
      expect(await store.log.create({ ...creation, appendId: newId() })).toMatchObject({ ok: false, code: 'already-recorded' });
    });

    it('lets any process write to a side log, and requires an epoch for a run’s log', async () => {
      const { store, runId } = await begun(open);
      const side = sideLogId(runId);
      const asked: NewEvent = { type: 'PauseRequested', data: { actor, message: 'asked' } };
      ok(await store.log.appendSide({ ...request(side, null, [asked]), epoch: null }));
      ok(await store.log.appendSide({ ...request(side, null, [asked]), epoch: null }));
      expect((await readAll(store, side)).map(({ position }) => position)).toEqual([1, 2]);
      expect(await store.log.appendSide({ ...request(runId, null, [asked]), epoch: null })).toMatchObject({ ok: false, code: 'fenced' });
      expect(await verify(store, side)).toMatchObject({ ok: true, events: 2 });
    });

    it('lets one process drive a run, names it, and gives the lock to a process that seizes it', async () => {
      const { store, runId, session, started } = await begun(open);
      expect(await store.log.openDriver(runId)).toMatchObject({ ok: false, code: 'driven', holder: { pid: process.pid } });
      expect(await store.log.holder(runId)).toMatchObject({ pid: process.pid });
      const seized = await store.log.openDriver(runId, { seize: true });
      expect(seized.ok).toBe(true);
      await expect(session.append(request(runId, started, [batchStarted(0)]))).rejects.toMatchObject({ code: 'connection-lost' });
      if (seized.ok) await seized.session.close();
      await expect.poll(() => store.log.holder(runId)).toBeNull();
    });

    it('resolves a time to the last position by then', async () => {
      const { store, runId, session, started } = await begun(open);
      const next = ok(await session.append(request(runId, started, [batchStarted(0), batchStarted(1)])));
      const first = parseInstant(started.recordedAt);
      const second = parseInstant(next.recordedAt);
      expect(await store.log.positionAt(runId, first - 1)).toBe(0);
      expect(await store.log.positionAt(runId, first)).toBe(1);
      expect(await store.log.positionAt(runId, second - 1)).toBe(1);
      expect(await store.log.positionAt(runId, second)).toBe(3);
      expect(await store.log.asOf(runId, 2)).toEqual({ position: 2, recordedAt: next.recordedAt, hash: next.hash });
      expect(await store.log.asOf(runId, 0)).toBeNull();
      expect(await store.log.asOf(runId, 4)).toBeNull();
    });

    it('reads by position, type, step and batch', async () => {
      const { store, runId, session, started } = await begun(open);
      const done = ok(
        await session.append(request(runId, started, [batchStarted(1), batchSucceeded(1), batchStarted(0), batchSucceeded(0)])),
      );
      const positions = (events: readonly { readonly position: number }[]) => events.map(({ position }) => position);
      const read = async (options: Parameters<Store['log']['read']>[1]) =>
        positions((await Array.fromAsync(store.log.read(runId, options))).flat());
      expect(await read({ from: 2, to: 3 })).toEqual([2, 3]);
      expect(await read({ types: ['BatchSucceeded'] })).toEqual([3, 5]);
      expect(await read({ step: 'other' })).toEqual([]);
      const successes = (to: number) => Array.fromAsync(store.log.readSuccesses(runId, { step: 'a', to }));
      expect(positions((await successes(done.last)).flat())).toEqual([5, 3]);
      expect(positions((await successes(4)).flat())).toEqual([3]);
      const from = (fromPass: number, fromBatch: number) =>
        Array.fromAsync(store.log.readSuccesses(runId, { step: 'a', fromPass, fromBatch, to: done.last }));
      expect(positions((await from(1, 1)).flat())).toEqual([3]);
      expect(await from(2, 0)).toEqual([]);
      expect((await store.log.success(runId, { pass: 1, step: 'a', batch: 0, to: 5 }))?.position).toBe(5);
      expect(await store.log.success(runId, { pass: 1, step: 'a', batch: 0, to: 4 })).toBeNull();
    });

    it('returns the records of all attempts at a batch to the next one', async () => {
      const { store, runId, session, started } = await begun(open);
      const failure: NewEvent = { type: 'BatchFailed', pass: 1, step: 'a', batch: 0, attempt: 1, data: failureData };
      const progressed: NewEvent = {
        type: 'BatchProgressed',
        pass: 1,
        step: 'a',
        batch: 0,
        attempt: 1,
        data: { done: [[0, 2]], rows: 2, rejected: none, usage: [], calls: 0, checkpoints: 0 },
      };
      ok(await session.append(request(runId, started, [batchStarted(0), progressed, failure, batchStarted(1)])));
      const kept = await store.log.readBatch(runId, { pass: 1, step: 'a', batch: 0 });
      expect(kept.filter(({ type }) => type === 'BatchProgressed' || type === 'BatchFailed').map(({ position }) => position)).toEqual([
        3, 4,
      ]);
      expect(kept.every((event) => 'batch' in event && event.batch === 0)).toBe(true);
    });

    it('lists runs, newest first, and finds them by prefix', async () => {
      const { store, runId } = await begun(open);
      await pause(2);
      const { runId: later } = await begun(async () => store);
      const listed = (await Array.fromAsync(store.log.runs())).flat().map((entry) => entry.runId);
      expect(listed.indexOf(later)).toBeLessThan(listed.indexOf(runId));
      expect(listed.every((id) => !id.endsWith('/side'))).toBe(true);
      expect(await store.log.runIds(runId, 5)).toEqual([runId]);
      expect(await store.log.runIds('nothing-like-it', 5)).toEqual([]);
    });

    it('selects runs by start, by position in the list and by status, and counts the same number', async () => {
      const store = await open();
      const runs = [];
      for (let index = 0; index < 3; index++) {
        runs.push(await begun(async () => store));
        await pause(2);
      }
      const [first, second, third] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0]];
      ok(await second.session.append(request(second.runId, second.started, [{ type: 'RunFinished', data: { outcome: 'partial' } }])));
      ok(await third.session.append(request(third.runId, third.started, [{ type: 'RunFinished', data: { outcome: 'succeeded' } }])));
      const own: readonly string[] = [first.runId, second.runId, third.runId];
      const selected = async (selection: RunSelection) => {
        const ids = (await Array.fromAsync(store.log.runs(selection))).flat().map(({ runId }) => runId);
        expect(await store.log.countRuns(selection)).toBe(ids.length);
        return ids.filter((id) => own.includes(id)).map((id) => own.indexOf(id));
      };
      const entries = (await Array.fromAsync(store.log.runs({ pageMax: 1 }))).flat();
      const cursor = entries.find(({ runId }) => runId === second.runId);
      if (!cursor) throw new Error('the run is listed');
      const at = parseInstant(cursor.startedAt);
      expect(await selected({})).toEqual([2, 1, 0]);
      expect(await selected({ before: cursor })).toEqual([0]);
      expect(await selected({ since: at })).toEqual([2, 1]);
      expect(await selected({ until: at })).toEqual([1, 0]);
      expect(await selected({ since: at + 1 })).toEqual([2]);
      expect(await selected({ until: at - 1 })).toEqual([0]);
      expect(await selected({ standing: 'open' })).toEqual([0]);
      expect(await selected({ standing: 'lossy' })).toEqual([1]);
      expect(await selected({ pipeline: cursor.pipeline })).toEqual([2, 1, 0]);
      expect(await selected({ pipeline: 'no such pipeline' })).toEqual([]);
    });

    it('returns any bytes of a chunk, and reports a missing chunk', async () => {
      const store = await open();
      const chunks = ['', 'x', '\u0000 …', 'again and again '.repeat(10_000)].map(chunkOf);
      await store.chunks.put(chunks);
      await store.chunks.put(chunks);
      for (const { sha256: address, bytes } of chunks)
        expect(Buffer.from(await store.chunks.get(address)).equals(Buffer.from(bytes))).toBe(true);
      await expect(store.chunks.get(sha256('never stored'))).rejects.toMatchObject({ code: 'chunk-missing' });
    });

    it('finds a snapshot at or below a position, by log, projection, version and fingerprint', async () => {
      const { store, session, key, run } = await withSnapshots(open);
      const at = await named(store, session, run, [10, 20]);
      await store.snapshots.put([snapshotOf(key, 10, at), snapshotOf(key, 20, at + 1)]);
      expect(await nearest(store, key, 9)).toBeNull();
      expect(await nearest(store, key, 10)).toEqual({ position: 10, state: { n: 10 } });
      expect(await nearest(store, key, 15)).toEqual({ position: 10, state: { n: 10 } });
      expect(await nearest(store, key, 99)).toEqual({ position: 20, state: { n: 20 } });
      for (const change of [{ version: 2 }, { projection: 'q' }, { fingerprint: 'g' }, { logId: 'another' }])
        expect(await nearest(store, { ...key, ...change }, 99)).toBeNull();
      expect(await store.snapshots.keys(run.runId)).toEqual([key]);
      expect(await store.snapshots.keys('another')).toEqual([]);
    });

    it('finds snapshots of several keys and positions together, with the same results as one by one', async () => {
      const { store, session, key, run } = await withSnapshots(open);
      const at = await named(store, session, run, [10, 20, 30]);
      await store.snapshots.put([10, 20, 30].map((position, index) => snapshotOf(key, position, at + index)));
      const wanted = [
        ...[30, 9, 10, 29, 99, 10].map((position) => ({ ...key, position })),
        { ...key, projection: 'q', position: 99 },
        { ...key, logId: 'another', position: 99 },
        { ...key, version: 2, position: 99 },
      ];
      const found = await store.snapshots.nearest(wanted);
      expect(found.map((snapshot) => snapshot?.position ?? null)).toEqual([30, null, 10, 20, 30, 10, null, null, null]);
      for (const [index, { position, ...each }] of wanted.entries()) expect(await nearest(store, each, position)).toEqual(found[index]);
      expect(await store.snapshots.nearest([])).toEqual([]);
    });

    it('stores a snapshot that the log names, once, and no other', async () => {
      const { store, session, key, run } = await withSnapshots(open);
      const at = await named(store, session, run, [10, 20]);
      const snapshot = snapshotOf(key, 10, at);
      await store.snapshots.put([snapshot]);
      await store.snapshots.put([snapshot, snapshot]);
      const refused = [
        { ...snapshot, state: '{"n":11}' },
        { ...snapshot, state: '{"n": 10}' },
        { ...snapshot, position: 20 },
        { ...snapshot, position: 5 },
        { ...snapshot, namedAt: at + 1 },
        { ...snapshot, namedAt: at + 99 },
        { ...snapshot, namedAt: 1 },
        { ...snapshot, version: 2 },
        { ...snapshot, projection: 'q' },
        { ...snapshot, fingerprint: 'g' },
        { ...snapshot, logId: 'another' },
        snapshotOf(key, at + 1, at),
      ];
      for (const each of refused) await expect(store.snapshots.put([each])).rejects.toMatchObject({ code: 'snapshot-not-named' });
      await expect(store.snapshots.put([snapshotOf(key, 20, at + 1), ...refused])).rejects.toMatchObject({ code: 'snapshot-not-named' });
      const stored = (await Array.fromAsync(store.snapshots.stored(key))).flat();
      expect(stored.filter(({ position }) => position === 10)).toMatchObject([{ position: 10, namedAt: at, state: '{"n":10}' }]);
      expect(stored.every((each) => explainUnnamed(key, each) === null)).toBe(true);
    });

    it('stores a state again under a new name, and finds the newer one', async () => {
      const { store, session, key, run } = await withSnapshots(open);
      const first = await named(store, session, run, [10]);
      const second = await named(store, session, run, [10]);
      await store.snapshots.put([snapshotOf(key, 10, second)]);
      await store.snapshots.put([snapshotOf(key, 10, first)]);
      expect((await Array.fromAsync(store.snapshots.stored(key))).flat().map(({ namedAt }) => namedAt)).toEqual([first, second]);
      expect(await nearest(store, key, 10)).toEqual({ position: 10, state: { n: 10 } });
    });

    it('stores many snapshots at once, and reads them in pages', async () => {
      const { store, session, key, run } = await withSnapshots(open);
      const places = Array.from({ length: 100 }, (_, index) => index + 1);
      const at = await named(store, session, run, places);
      await Promise.all(places.toReversed().map((position) => store.snapshots.put([snapshotOf(key, position, at + position - 1)])));
      const stored = (await Array.fromAsync(store.snapshots.stored(key))).flat();
      expect(stored.map(({ position }) => position)).toEqual(places);
      expect(stored.every((each) => explainUnnamed(key, each) === null)).toBe(true);
    });
  });
}

const none = { count: 0, codes: {}, rows: [], inChunk: false };
const runStarted: NewEvent = {
  type: 'RunStarted',
  data: {
    manifest: {
      pipeline: 'contract',
      signature: '',
      steps: [
        {
          name: 'a',
          operator: 'source',
          upstream: [],
          cut: { kind: 'source', rows: 10 },
          options: { batchSize: null, concurrency: 1, timeoutMs: 1, attempts: 1, backoffMs: 0, onError: 'reject' },
          adds: [],
          from: [],
          fork: null,
          key: null,
          signature: '',
        },
      ],
    },
    params: {},
    secrets: [],
    seed: 1,
    seeds: 'origin',
    file: null,
    program: { distilog: '0', node: '0' },
    actor,
  },
};
const failureData = {
  error: { code: 'c', name: 'n', message: 'm', stack: '' },
  done: [],
  rows: 0,
  rejected: none,
  pending: 1,
  retryInMs: 0,
  failsStep: false,
  counted: true,
  elapsedMs: 1,
  usage: [],
  calls: 0,
  checkpoints: 0,
};
const stepStarted = (step: string): NewEvent => ({ type: 'StepStarted', pass: 1, step, data: { count: null, origin: null } });
const batchStarted = (batch: number): NewEvent => ({
  type: 'BatchStarted',
  pass: 1,
  step: 'a',
  batch,
  attempt: 1,
  data: { inputs: [], offset: 0, rows: 1, worker: 'w', alone: false },
});
const batchSucceeded = (batch: number) => succeeded('a', batch, { rowsIn: 1, rows: 1, elapsedMs: 1.5, undeclared: ['ü\u{1F600}'] });
const abandoned = (batch: number): NewEvent => ({ type: 'BatchAbandoned', pass: 1, step: 'a', batch, attempt: 1, data: { epoch: 1 } });
const resumed = (epoch: number): NewEvent => ({
  type: 'RunResumed',
  data: {
    reason: 'resumed',
    epoch,
    actor,
    from: null,
    positionSeen: 1,
    acceptedChanges: [],
    concurrency: {},
    program: { distilog: '0', node: '0' },
  },
});

const chunkOf = (text: string): Chunk => ({ sha256: sha256(text), bytes: Buffer.from(text) });

const request = (logId: string, after: { readonly hash: string } | null, events: readonly NewEvent[]): AppendRequest => ({
  logId,
  epoch: 1,
  appendId: newId(),
  expectedHash: after?.hash ?? null,
  writer: 'u@h:1',
  events: events.map(encodeEvent),
});

function ok(result: AppendResult): Appended {
  if (!result.ok) throw new Error(`refused: ${result.code}: ${result.message}`);
  return result;
}

const readAll = async (store: Store, logId: string) => (await Array.fromAsync(store.log.read(logId))).flat();

async function begun(open: () => Promise<Store>): Promise<{ store: Store; runId: string; session: DriverSession; started: Appended }> {
  const store = await open();
  const runId = `contract-${newId()}`;
  const started = ok(await store.log.create({ ...request(runId, null, [runStarted]), epoch: 1 }));
  const opened = await store.log.openDriver(runId);
  if (!opened.ok) throw new Error('the run is driven by another process');
  return { store, runId, session: opened.session, started };
}

const snapshotOf = (key: SnapshotKey, position: number, namedAt: number): SnapshotKey & StoredSnapshot => ({
  ...key,
  position,
  namedAt,
  state: `{"n":${position}}`,
});

/** A run of a hundred events, and a key for its snapshots. */
async function withSnapshots(open: () => Promise<Store>) {
  const { store, runId, session, started } = await begun(open);
  const { hash } = ok(
    await session.append(
      request(
        runId,
        started,
        Array.from({ length: 99 }, (_, batch) => batchStarted(batch)),
      ),
    ),
  );
  const key: SnapshotKey = { logId: runId, projection: 'p', version: 1, fingerprint: 'f' };
  return { store, session, key, run: { runId, hash } };
}

/** Names the snapshots at these positions, with one event each. Returns the position of the first event. */
async function named(store: Store, session: DriverSession, { runId }: { readonly runId: string }, positions: readonly number[]) {
  const events = positions.map(
    (position): NewEvent => ({
      type: 'SnapshotsTaken',
      data: { position, fingerprint: 'f', states: [{ projection: 'p', version: 1, sha256: sha256(`{"n":${position}}`) }] },
    }),
  );
  const head = await store.log.head(runId);
  return ok(await session.append(request(runId, head, events))).first;
}
