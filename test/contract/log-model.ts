// A simple model of a run's log: lists of events, and the current driver. Random commands go to the model and to a store, and must have the same results.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { NewEvent } from '../../schema/index.ts';
import { newId } from '../../src/kit/ids.ts';
import { formatInstant, parseInstant } from '../../src/kit/instant.ts';
import { sha256 } from '../../src/kit/sha256.ts';
import {
  parseAsOf,
  resolveAsOf,
  sideLogId,
  verify,
  type Appended,
  type AppendRequest,
  type DriverSession,
  type Store,
} from '../../src/log/index.ts';
import { allOf, batchAbandoned, batchStarted, batchSucceeded, requestOf, runStarted, stepStarted } from '../unit/log/log-fixture.ts';

interface Acknowledged {
  readonly request: AppendRequest;
  readonly answer: Appended;
}

/** The state of the model. */
interface Model {
  readonly runId: string;
  readonly events: NewEvent[];
  /** Events of the run's log, in order. */
  readonly appends: Acknowledged[];
  readonly side: Acknowledged[];
  epoch: number;
}

/** The store under test, and the session that holds its run's lock. */
interface Real {
  readonly store: Store;
  session: DriverSession;
}

type Command = fc.AsyncCommand<Model, Real>;
const command = (
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Model) => boolean = () => true,
): Command => ({
  check,
  run,
  toString: () => name,
});

const last = (model: Model): Appended => (model.appends.at(-1) as Acknowledged).answer;
const picked = <Item>(items: readonly Item[], chance: number): Item => items[chance % items.length] as Item;

/** Returns a request of the current driver, which has seen the whole log. */
const request = (model: Model, events: readonly NewEvent[], changes: Partial<AppendRequest> = {}): AppendRequest =>
  requestOf(events, { logId: model.runId, epoch: model.epoch, expectedHash: last(model).hash, ...changes });

const endsOf = (event: NewEvent): readonly string[] => {
  if (event.type !== 'BatchSucceeded' && event.type !== 'BatchAbandoned') return [];
  const end = `end ${event.batch}/${event.attempt}`;
  return event.type === 'BatchSucceeded' ? [`success ${event.batch}`, end] : [end];
};
/** Returns whether events end a batch or an attempt twice. */
function collides({ events: before }: Model, events: readonly NewEvent[]): boolean {
  const ends = new Set(before.flatMap(endsOf));
  const isTwice = (end: string) => ends.has(end) || !ends.add(end);
  return events.flatMap(endsOf).some(isTwice);
}

/** Checks that the store gave an append the next positions, and adds it to the model. */
function acknowledged(model: Model, sent: AppendRequest, events: readonly NewEvent[], answer: unknown): void {
  const { position: before } = { position: last(model).last };
  expect(answer).toMatchObject({ ok: true, first: before + 1, last: before + events.length, epoch: model.epoch, duplicate: false });
  const given = answer as Appended;
  expect(given.recordedAt > last(model).recordedAt).toBe(true);
  expect(given.hash).not.toBe(last(model).hash);
  model.events.push(...events);
  model.appends.push({ request: sent, answer: given });
}

async function reopened(model: Model, real: Real, options: { readonly seize: boolean }): Promise<void> {
  if (!options.seize) await real.session.close();
  const opened = await real.store.log.openDriver(model.runId, options);
  expect(opened.ok).toBe(true);
  if (opened.ok) real.session = opened.session;
}

const resumed = (epoch: number): NewEvent => {
  const { actor, program } = runStarted.data as Extract<typeof runStarted, { readonly type: 'RunStarted' }>['data'];
  const data = { reason: 'resumed' as const, epoch, actor, from: null, positionSeen: 1, acceptedChanges: [], concurrency: {}, program };
  return { type: 'RunResumed', data };
};

const event: fc.Arbitrary<NewEvent> = fc.oneof(
  fc.constantFrom('all', 'other').map((step) => stepStarted(step)),
  ...[batchStarted, batchSucceeded, batchAbandoned].map((make) =>
    fc.tuple(fc.nat(7), fc.integer({ min: 1, max: 3 })).map(([batch, attempt]) => make(batch, attempt)),
  ),
);

const append = fc.array(event, { minLength: 1, maxLength: 4 }).map((events) =>
  command(`append ${JSON.stringify(events.map((each) => [each.type, 'batch' in each ? each.batch : '']))}`, async (model, { session }) => {
    const sent = request(model, events);
    const answer = await session.append(sent);
    if (collides(model, events)) expect(answer).toMatchObject({ ok: false, code: 'already-recorded' });
    else acknowledged(model, sent, events, answer);
  }),
);

const sendAgain = fc.nat().map((chance) =>
  command('send an append again', async (model, { session }) => {
    const { request: sent, answer } = picked(model.appends, chance);
    expect(await session.append(sent)).toEqual({ ...answer, duplicate: true });
  }),
);

const reuseId = fc.nat().map((chance) =>
  command('send other events under a known id', async (model, { session }) => {
    const { appendId } = picked(model.appends, chance).request;
    expect(await session.append(request(model, [batchStarted(99)], { appendId }))).toMatchObject({ ok: false, code: 'append-id-reused' });
  }),
);

const writeAsGhost = fc.constantFrom(-1, null).map((back) =>
  command(`write as a ghost (${back})`, async (model, { session }) => {
    const epoch = back === null ? null : model.epoch + back;
    const answer = await session.append(request(model, [batchStarted(99)], { epoch }));
    expect(answer).toMatchObject({ ok: false, code: 'fenced', epoch: model.epoch });
  }),
);

const divergeFrom = fc.nat().map((chance) =>
  command(
    'write after another end than the log’s',
    async (model, { session }) => {
      const { hash } = picked(model.appends.slice(0, -1), chance).answer;
      expect(await session.append(request(model, [batchStarted(99)], { expectedHash: hash }))).toMatchObject({ code: 'history-diverged' });
    },
    (model) => model.appends.length > 1,
  ),
);

const writeNonsense = fc.boolean().map((isEmpty) =>
  command(isEmpty ? 'append nothing' : 'name a chunk that is not there', async (model, { session }) => {
    const events = isEmpty ? [] : [{ ...batchStarted(99), chunks: [sha256(newId())] }];
    const code = isEmpty ? 'invalid-event' : 'unknown-chunk';
    expect(await session.append(request(model, events))).toMatchObject({ ok: false, code });
  }),
);

/** The process and the answer are lost. Another process has the request, but does not know its outcome. */
const crash = fc.tuple(fc.boolean(), fc.nat(7)).map(([isStored, batch]) =>
  command(`crash ${isStored ? 'after' : 'before'} an append`, async (model, real) => {
    const events = [batchStarted(batch)];
    const sent = request(model, events);
    const lost = isStored ? await real.session.append(sent) : null;
    await reopened(model, real, { seize: false });
    const answer = await real.session.append(sent);
    if (lost) expect(answer).toEqual({ ...lost, duplicate: true });
    acknowledged(model, sent, events, lost ?? answer);
  }),
);

const takeOver = fc.boolean().map((seize) =>
  command(`take the run over${seize ? ' from a driver that lives' : ''}`, async (model, real) => {
    const before = real.session;
    await reopened(model, real, { seize });
    const sent = { ...request(model, [resumed(model.epoch + 1)]), epoch: model.epoch };
    const answer = await real.session.takeOver(sent);
    model.epoch++;
    acknowledged(model, sent, [resumed(model.epoch)], answer);
    if (seize) await expect(before.append(request(model, [batchStarted(99)]))).rejects.toMatchObject({ code: 'connection-lost' });
    expect(await real.session.takeOver({ ...request(model, [resumed(9)]), epoch: model.epoch - 1 })).toMatchObject({ code: 'fenced' });
  }),
);

const side = fc.boolean().map((isAgain) =>
  command(`write to the side log${isAgain ? ', twice' : ''}`, async (model, { store }) => {
    const logId = sideLogId(model.runId);
    const asked: NewEvent = { type: 'PauseRequested', data: { actor: { user: 'u', host: 'h', pid: 1 }, message: 'asked' } };
    const sent = { ...requestOf([asked], { logId }), epoch: null };
    const answer = await store.log.appendSide(sent);
    expect(answer).toMatchObject({ ok: true, first: model.side.length + 1, duplicate: false });
    if (isAgain) expect(await store.log.appendSide(sent)).toEqual({ ...answer, duplicate: true });
    model.side.push({ request: sent, answer: answer as Appended });
    expect((await store.log.head(logId))?.position).toBe(model.side.length);
    expect((await store.log.head(model.runId))?.position).toBe(model.events.length);
  }),
);

const commitOf = (model: Model, position: number): Appended | undefined =>
  model.appends.find(({ answer }) => answer.first <= position && position <= answer.last)?.answer;

const lookAtPosition = fc.nat(40).map((position) =>
  command(`look at position ${position}`, async (model, { store }) => {
    const commit = commitOf(model, position);
    const expected = commit ? { position, recordedAt: commit.recordedAt, hash: commit.hash } : null;
    expect(await store.log.asOf(model.runId, position)).toEqual(expected);
    const resolving = resolveAsOf(store.log, model.runId, parseAsOf(String(position), 0));
    if (expected) expect(await resolving).toEqual(expected);
    else await expect(resolving).rejects.toMatchObject({ code: position === 0 ? 'as-of-before-start' : 'as-of-beyond-head' });
  }),
);

const lookAtTime = fc.tuple(fc.nat(), fc.constantFrom(-1, 0, 1)).map(([chance, shift]) =>
  command(`look at the time of an append, ${shift} µs`, async (model, { store }) => {
    const instant = parseInstant(picked(model.appends, chance).answer.recordedAt) + shift;
    const expected = model.appends.findLast(({ answer }) => parseInstant(answer.recordedAt) <= instant)?.answer.last ?? 0;
    expect(await store.log.positionAt(model.runId, instant)).toBe(expected);
    if (expected > 0)
      expect(await resolveAsOf(store.log, model.runId, parseAsOf(formatInstant(instant), 0))).toMatchObject({ position: expected });
  }),
);

const read = fc
  .record({
    from: fc.integer({ min: 1, max: 30 }),
    to: fc.integer({ min: 0, max: 40 }),
    types: fc.option(fc.subarray(['StepStarted', 'BatchStarted', 'BatchSucceeded', 'BatchAbandoned'] as const, { minLength: 1 }), {
      nil: undefined,
    }),
    step: fc.option(fc.constantFrom('all', 'other', 'nothing'), { nil: undefined }),
  })
  .map((options) =>
    command(`read ${JSON.stringify(options)}`, async (model, { store }) => {
      const { from, to, types, step } = options;
      const expected = model.events
        .map((each, index) => ({ position: index + 1, type: each.type, step: 'step' in each ? each.step : undefined }))
        .filter(({ position }) => from <= position && position <= to)
        .filter((each) => (types === undefined || types.some((type) => type === each.type)) && (step === undefined || step === each.step))
        .map(({ position, type }) => ({ position, type }));
      const found = await allOf(store.log.read(model.runId, options));
      expect(found.map(({ position, type }) => ({ position, type }))).toEqual(expected);
      for (const { position, recordedAt } of found) expect(recordedAt).toBe(commitOf(model, position)?.recordedAt);
    }),
  );

const readBatches = fc.tuple(fc.nat(7), fc.nat(40)).map(([batch, to]) =>
  command(`read the success of batch ${batch} up to ${to}`, async (model, { store }) => {
    const successes = model.events
      .map((each, index) => ({ each, position: index + 1 }))
      .filter(({ each, position }) => each.type === 'BatchSucceeded' && position <= to);
    const of = (each: NewEvent) => (each.type === 'BatchSucceeded' ? each.batch : -1);
    const inOrder = successes.toSorted((a, b) => of(a.each) - of(b.each)).map(({ position }) => position);
    expect((await allOf(store.log.readSuccesses(model.runId, { step: 'all', to }))).map(({ position }) => position)).toEqual(inOrder);
    const expected = successes.find(({ each }) => of(each) === batch)?.position ?? null;
    const found = await store.log.success(model.runId, { pass: 1, step: 'all', batch, to });
    expect(found?.position ?? null).toBe(expected);
    const kept = await store.log.readBatch(model.runId, { pass: 1, step: 'all', batch, to });
    expect(kept.map(({ position }) => position)).toEqual(expected === null ? [] : [expected]);
  }),
);

const check = fc.constant(
  command('verify', async (model, { store }) => {
    expect(await verify(store, model.runId)).toMatchObject({ ok: true, events: model.events.length });
    const { last: position, hash, recordedAt } = last(model);
    expect(await store.log.head(model.runId)).toEqual({ logId: model.runId, position, hash, recordedAt, epoch: model.epoch });
  }),
);

const commands = [append, append, append, sendAgain, reuseId, writeAsGhost, divergeFrom, writeNonsense, crash, takeOver, side];
const looks = [lookAtPosition, lookAtTime, read, readBatches, check];

/** Runs random commands against a store and the model, with a new run each time. If they differ, throws with the seed and the fewest commands that show it. */
export async function checkLogModel(store: Store, { seed, runs }: { readonly seed: number; readonly runs: number }): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands([...commands, ...looks], { maxCommands: 60 }), async (chosen) => {
      let real: Real | undefined;
      const setUp = async (): Promise<{ model: Model; real: Real }> => {
        const runId = `model-${newId()}`;
        const started = requestOf([runStarted], { logId: runId, epoch: 1 });
        const answer = await store.log.create({ ...started, epoch: 1 });
        const opened = await store.log.openDriver(runId);
        if (!answer.ok || !opened.ok) throw new Error('the run could not be started');
        real = { store, session: opened.session };
        return { model: { runId, events: [runStarted], appends: [{ request: started, answer }], side: [], epoch: 1 }, real };
      };
      try {
        await fc.asyncModelRun(setUp, chosen);
      } finally {
        await real?.session.close();
      }
    }),
    { seed, numRuns: runs },
  );
}
