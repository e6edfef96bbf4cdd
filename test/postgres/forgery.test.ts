import { beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kit/ids.ts';
import { encodeEvent, verify } from '../../src/log/index.ts';
import { finishedRun, started } from './runs.ts';
import { testDatabase } from './server.ts';

// The owner of the database switches every guard off and alters what was recorded.

const database = await testDatabase();
const store = await database.store();
const runId = await finishedRun(store);
const other = await finishedRun(store);
/** After what the run recorded come three more appends, of four, one and three events: their first positions, and the last position. */
let a = 0;
let b = 0;
let c = 0;
let end = 0;
let firstSuccess = 0;
/** The head's hash, kept elsewhere. */
let kept = '';

beforeAll(async () => {
  const opened = await store.log.openDriver(runId);
  let head = await store.log.head(runId);
  if (!opened.ok || !head) throw new Error('the run is driven by another process');
  const append = async (...batches: readonly number[]): Promise<number> => {
    const { epoch = 0, hash = '' } = head ?? {};
    const events = batches.map((batch) => encodeEvent(started(batch)));
    const result = await opened.session.append({ logId: runId, epoch, appendId: newId(), expectedHash: hash, writer: 'w', events });
    head = await store.log.head(runId);
    if (!result.ok) throw new Error(result.message);
    return result.first;
  };
  a = await append(900, 901, 902, 903);
  b = await append(904);
  c = await append(905, 906, 907);
  await opened.session.close();
  end = head.position;
  kept = (await store.log.head(runId))?.hash ?? '';
  const { rows } = await database.sql(
    `select min(position)::int as at from distilog.events where log_id = $1 and type = 'BatchSucceeded'`,
    [runId],
  );
  firstSuccess = (rows as { at: number }[])[0]?.at ?? 0;
  for (const table of tables)
    await database.sql(`create table public.${table} as table distilog.${table}; alter table distilog.${table} disable trigger all`);
});

const tables = ['chunks', 'heads', 'commits', 'events'] as const;
const forge = (sql: string) => database.sql(sql);
const restore = () =>
  forge(
    [
      ...tables.toReversed().map((table) => `delete from distilog.${table}`),
      ...tables.map((table) => `insert into distilog.${table} table public.${table}`),
    ].join(';'),
  );

const at = (position: number) => `where log_id = '${runId}' and position = ${position}`;
const of = (table: 'events' | 'commits') => `distilog.${table} where log_id = '${runId}'`;

/** SQL that computes hashes again, as a forger would who knows how. */
const newLeaves = `update distilog.events set leaf = distilog.leaf(type, version, pass, step, batch, attempt,
  (select coalesce(string_agg(encode(x, 'hex'), ',' order by n), '') from unnest(chunks) with ordinality as u (x, n)), data) where log_id = '${runId}'`;
const newRoots = `${newLeaves}; update distilog.commits as k set root = (select sha256(string_agg(leaf, ''::bytea order by position))
  from distilog.events e where e.log_id = k.log_id and e.position between k.first and k.last) where log_id = '${runId}'`;
const newChain = (from: number, to: number) => `${newRoots}; do $$
declare k distilog.commits%rowtype; before bytea := ''; link bytea;
begin
  for k in select * from ${of('commits')} order by first loop
    link := k.hash;
    if k.first between ${from} and ${to} then
      link := sha256(distilog.frame(encode(before, 'hex')) || distilog.frame(encode(k.root, 'hex')) || distilog.frame(k.log_id) ||
        distilog.frame(k.first::text) || distilog.frame(k.last::text) || distilog.frame(distilog.microseconds(k.recorded_at)::text) ||
        distilog.frame(distilog.microseconds(k.clock)::text) || distilog.frame(k.append_id) || distilog.frame(k.epoch::text) || distilog.frame(k.writer));
      update distilog.commits set hash = link where log_id = k.log_id and first = k.first;
    end if;
    before := link;
  end loop;
  if ${to} >= ${end} then update distilog.heads set hash = before where log_id = '${runId}'; end if;
end $$`;
const otherData = (position: number) => `update distilog.events set data = replace(data, '"worker":"w"', '"worker":"x"') ${at(position)}`;
const swap = (one: number, two: number) =>
  `update distilog.events set position = -position where log_id = '${runId}' and position in (${one}, ${two});
   update distilog.events set position = case position when ${-one} then ${two} else ${one} end where log_id = '${runId}' and position < 0`;
const cut = (from: number) => `delete from ${of('events')} and position >= ${from}; delete from ${of('commits')} and first >= ${from}`;

type Forgery = [what: string, sql: () => string, position: () => number, reason?: RegExp];

describe('verify finds', () => {
  it('nothing in an unaltered log', async () => {
    expect(await verify(store, runId, { expectedHead: kept })).toMatchObject({ ok: true, firstBad: null });
  });

  it.each<Forgery>([
    ['other data', () => otherData(a + 1), () => a + 1],
    ['other data in the last event', () => `update distilog.events set data = '{}' ${at(end)}`, () => end],
    ['other data, and its hash', () => `${otherData(a + 1)}; ${newLeaves}`, () => a, /positions \d+ to \d+: one of them/],
    ['other data, its hash, and its append’s', () => `${otherData(a + 1)}; ${newRoots}`, () => a, /does not follow/],
    ['other data, and all hashes but those behind it', () => `${otherData(a + 1)}; ${newChain(a, a)}`, () => b, /does not follow/],
    ['another type', () => `update distilog.events set type = 'StepFailed' ${at(a + 2)}`, () => a + 2],
    ['another step', () => `update distilog.events set step = 'even' ${at(a + 2)}`, () => a + 2],
    ['another attempt', () => `update distilog.events set attempt = 2 ${at(a + 2)}`, () => a + 2],
    ['another version', () => `update distilog.events set version = 2 ${at(a + 2)}`, () => a + 2],
    ['another time', () => `update distilog.events set recorded_at = recorded_at - interval '1 hour' ${at(a + 2)}`, () => a + 2],
    [
      'another time of a whole append',
      () =>
        `update distilog.events set recorded_at = recorded_at + interval '1 microsecond' where log_id = '${runId}' and position between ${a} and ${a + 3};
         update distilog.commits set recorded_at = recorded_at + interval '1 microsecond' where log_id = '${runId}' and first = ${a}`,
      () => a,
    ],
    ['another writer', () => `update distilog.commits set writer = 'another' where log_id = '${runId}' and first = ${b}`, () => b],
    ['another epoch', () => `update distilog.commits set epoch = 7 where log_id = '${runId}' and first = ${b}`, () => b],
    ['no chunks', () => `update distilog.events set chunks = '{}' ${at(firstSuccess)}`, () => firstSuccess],
    [
      'an altered chunk',
      () => `update distilog.chunks set body = '\\x00' where sha256 = (select chunks[1] from distilog.events ${at(firstSuccess)})`,
      () => firstSuccess,
    ],
    [
      'a chunk that is gone',
      () => `delete from distilog.chunks where sha256 = (select chunks[1] from distilog.events ${at(firstSuccess)})`,
      () => firstSuccess,
    ],
    ['a missing first event', () => `delete from distilog.events ${at(1)}`, () => 1],
    ['a missing event', () => `delete from distilog.events ${at(a + 1)}`, () => a + 1],
    ['a missing last event', () => `delete from distilog.events ${at(end)}`, () => end],
    [
      'a missing event, with the others moved up',
      () =>
        `delete from distilog.events ${at(a + 1)}; update distilog.events set position = -position where log_id = '${runId}' and position > ${a + 1};
         update distilog.events set position = -position - 1 where log_id = '${runId}' and position < 0`,
      // The append's last place is taken by the next one's event, whose time is another.
      () => a + 3,
    ],
    ['a missing append', () => `delete from ${of('events')} and position = ${b}; delete from ${of('commits')} and first = ${b}`, () => b],
    [
      'an inserted event',
      () =>
        `insert into distilog.events select log_id, ${end + 1}, recorded_at, type, version, pass, step, batch, attempt, chunks, data, leaf from distilog.events ${at(end)}`,
      () => end + 1,
    ],
    [
      'an inserted append',
      () =>
        `insert into distilog.events select log_id, ${end + 1}, recorded_at + interval '1 second', type, version, pass, step, batch, attempt, chunks, data, leaf from distilog.events ${at(end)};
         insert into distilog.commits select log_id, ${end + 1}, ${end + 1}, recorded_at + interval '1 second', clock, 'more', epoch, writer, root, hash from ${of('commits')} and first = ${c}`,
      () => end + 1,
    ],
    ['two of one append that changed places', () => swap(a + 1, a + 2), () => a, /positions \d+ to \d+: one of them, or their order/],
    ['two of different appends that changed places', () => swap(a + 1, c + 1), () => a + 1],
    ['a tail that was cut off', () => cut(c), () => c, /cut off/],
    ['a tail that was cut off in the middle of an append', () => `delete from ${of('events')} and position > ${c}`, () => c + 1],
    [
      'an event of another run in the place of its own',
      () =>
        `update distilog.events e set data = o.data, leaf = o.leaf, type = o.type, version = o.version, pass = o.pass, step = o.step, batch = o.batch, attempt = o.attempt, chunks = o.chunks
           from distilog.events o where e.log_id = '${runId}' and e.position = ${a + 1} and o.log_id = '${other}'
            and o.position = (select min(position) from distilog.events where log_id = '${other}' and type = 'BatchStarted')`,
      () => a,
    ],
    [
      'the whole history of another run',
      () =>
        `delete from ${of('events')}; delete from ${of('commits')};
         insert into distilog.events select '${runId}', position, recorded_at, type, version, pass, step, batch, attempt, chunks, data, leaf from distilog.events where log_id = '${other}';
         insert into distilog.commits select '${runId}', first, last, recorded_at, clock, append_id, epoch, writer, root, hash from distilog.commits where log_id = '${other}';
         update distilog.heads h set position = o.position, recorded_at = o.recorded_at, epoch = o.epoch, hash = o.hash from distilog.heads o where h.log_id = '${runId}' and o.log_id = '${other}'`,
      () => 1,
      /does not follow/,
    ],
    [
      'a head set back',
      () =>
        `update distilog.heads h set position = ${b}, hash = k.hash, recorded_at = k.recorded_at from distilog.commits k where h.log_id = '${runId}' and k.log_id = h.log_id and k.first = ${b}`,
      () => c,
      /beyond the log's head/,
    ],
    [
      'a head of another epoch',
      () => `update distilog.heads set epoch = epoch + 1 where log_id = '${runId}'`,
      () => end,
      /head is not its last append/,
    ],
  ])('%s', async (_what, sql, position, reason = /./) => {
    await forge(sql());
    try {
      const { ok, firstBad } = await verify(store, runId);
      expect({ ok, position: firstBad?.position }).toEqual({ ok: false, position: position() });
      expect(firstBad?.reason).toMatch(reason);
    } finally {
      await restore();
    }
  });

  it.each<[string, () => string]>([
    ['a log that was rewritten with all its hashes', () => `${otherData(a + 1)}; ${newChain(0, end)}`],
    [
      'a tail that was cut off, and the head set back with it',
      () =>
        `${cut(c)}; update distilog.heads h set position = ${b}, hash = k.hash, recorded_at = k.recorded_at, epoch = k.epoch
           from distilog.commits k where h.log_id = '${runId}' and k.log_id = h.log_id and k.first = ${b}`,
    ],
  ])('by a head that was kept elsewhere, and by nothing else, %s', async (_what, sql) => {
    await forge(sql());
    try {
      expect(await verify(store, runId)).toMatchObject({ ok: true });
      const head = await store.log.head(runId);
      expect((await verify(store, runId, { expectedHead: kept })).firstBad).toMatchObject({
        position: head?.position,
        reason: expect.stringMatching(/is not in the chain/),
      });
    } finally {
      await restore();
    }
  });

  it('each single event that was altered', async () => {
    for (let position = 1; position <= end; position++) {
      await forge(`update distilog.events set data = left(data, -1) || ',"forged":1}' ${at(position)}`);
      expect((await verify(store, runId, { chunks: false })).firstBad?.position).toBe(position);
      await forge(
        `update distilog.events e set data = b.data from public.events b where b.log_id = e.log_id and b.position = e.position and e.position = ${position}`,
      );
    }
    expect(await verify(store, runId, { expectedHead: kept })).toMatchObject({ ok: true });
  });
});
