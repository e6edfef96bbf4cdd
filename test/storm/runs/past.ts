import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { messageOf } from '../../../src/kit/fault.ts';
import { parseInstant } from '../../../src/kit/instant.ts';
import { rebuild, resolveAsOf, runLogId, type Store } from '../../../src/log/index.ts';
import { migrate, openPostgresStore } from '../../../src/postgres/index.ts';
import { killGroup } from '../../e2e/command-line.ts';
import { randomFrom } from '../../unit/random.ts';
import { openArena, type Arena } from './arena.ts';
import type { Area } from '../area.ts';
import { inTime } from './driven-process.ts';
import { everyOperator } from './every-operator.ts';
import { folds, lookAt, statesAt, type Look } from './look.ts';
import { RunUnderAttack } from './run-under-attack.ts';
import { Tally } from './tally.ts';
import { undisturbed } from './undisturbed.ts';

type Random = ReturnType<typeof randomFrom>;

/** The variable with the URL of another PostgreSQL, to which logs are restored as well. Its user must be able to create databases. */
const otherVariable = 'DISTILOG_OTHER_POSTGRES';
/** The most looks at a run in each pass. */
const looksMax = 4;
const endMs = 90_000;
/** The number of events between two snapshots that are stored before foreign ones are added. */
const rebuiltEvery = 25;
/** Offsets of the server's clock from the right time, in seconds, of which one is drawn before each look. */
const clockSeconds = [0, 7_200, -3_600, 0.5, -86_400] as const;

/** Reads earlier positions of runs that are killed meanwhile, and reads them again in every way that might give another result. */
export const past: Area = {
  name: 'past',
  does: 'reads states and rows of earlier positions again: later, without snapshots, restored elsewhere, by a newer program, after a clock was set',
  run: async ({ seed, seeds, kills, say }) => {
    const tally = new Tally();
    const arena = await openArena();
    let own = seed;
    try {
      await movableClock(arena);
      for (; own < seed + seeds && tally.blows < kills; own++) {
        await attackPast(arena, own, tally);
        say(`seed ${own}: ${tally.blows} blows`);
      }
    } catch (error) {
      await arena.close({ keep: true });
      throw new Error(`seed ${own}: ${messageOf(error)}\nThe store is kept: ${arena.folder}`, { cause: error });
    }
    await arena.close();
    return tally.figures();
  },
};

async function attackPast(arena: Arena, seed: number, tally: Tally): Promise<void> {
  const random = randomFrom(seed * 3571 + 1);
  const world = { ...everyOperator({ seed, isRetried: true, isLong: true }), slowMs: 3 };
  const expected = await undisturbed(world);
  if (typeof expected.retried === 'string') throw new Error(`a retry was refused: ${expected.retried}`);
  const run = new RunUnderAttack(arena);
  const seen: Look[] = [];
  for (const pass of [1, 2]) {
    const of = { ...world, isRepaired: pass === 2 };
    let blows = 2;
    for (let args = await run.next(of, pass); args; args = await run.next(of, pass)) {
      const driving = run.start(args, of);
      const isBlown = blows-- > 0;
      const runId = await inTime(driving.drives, endMs, 'a start');
      for (let look = 0; look < 3 && runId !== undefined && seen.length < looksMax * pass; look++) {
        await setClock(arena, random.pick(clockSeconds));
        await sleep(random.below(200));
        seen.push(await lookSomewhere(arena, runId, random));
      }
      if (isBlown) {
        killGroup(driving.child);
        tally.struck('drivers killed');
      }
      await inTime(driving.ended, endMs, `process ${driving.pid}`);
    }
    await run.check(pass, pass === 1 ? expected.first : expected.retried, tally);
  }
  const { runId = '' } = await run.look();
  await sameAgain('later', arena.store, runId, seen, tally);
  await sameByOthersSnapshots(arena, runId, seen, tally);
  await arena.sql('delete from distilog.snapshots where log_id = $1', [runId]);
  await sameAgain('without snapshots', arena.store, runId, seen, tally);
  await sameElsewhere('restored', arena, arena.owner(), runId, seen, tally);
  const other = process.env[otherVariable];
  if (other) await sameElsewhere('on another PostgreSQL', arena, { connectionString: other }, runId, seen, tally);
}

/** Looks at a random position, by its number or by its time. */
async function lookSomewhere({ store }: Arena, runId: string, random: Random): Promise<Look> {
  const head = await store.log.head(runLogId(runId));
  const position = 1 + random.below(head?.position ?? 1);
  if (random.chance(0.5)) return lookAt(store, runId, position);
  const at = await resolveAsOf(store.log, runLogId(runId), { kind: 'position', position });
  const asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'instant', instant: parseInstant(at.recordedAt) });
  return lookAt(store, runId, asOf.position);
}

async function sameAgain(when: string, store: Store, runId: string, seen: readonly Look[], tally: Tally): Promise<void> {
  for (const look of seen) {
    const again = await lookAt(store, runId, look.position);
    if (!isDeepStrictEqual(again, look))
      throw new Error(`${when}, run ${runId} is ${JSON.stringify(again)}, and was ${JSON.stringify(look)}`);
    const byTime = await resolveAsOf(store.log, runLogId(runId), { kind: 'instant', instant: parseInstant(look.recordedAt) });
    if (byTime.hash !== look.hash || byTime.recordedAt !== look.recordedAt)
      throw new Error(`${when}, ${look.recordedAt} in run ${runId} is position ${byTime.position}, and was ${look.position}`);
  }
  tally.count(`looks ${when}, the same`, seen.length);
}

/** Stores false snapshots of other versions. Neither this program nor its next version may read them. */
async function sameByOthersSnapshots(arena: Arena, runId: string, seen: readonly Look[], tally: Tally): Promise<void> {
  const { sql, store } = arena;
  // The killed drivers may have stored none, so some are stored first.
  await rebuild(store, folds, runId, { writer: 'storm', every: rebuiltEvery });
  const rubbish = `insert into distilog.snapshots (log_id, projection, version, fingerprint, position, named_at, state)
    select log_id, projection, version + $2::int, fingerprint || $3, position, named_at, '{"rubbish":true}' from distilog.snapshots where log_id = $1 and state not like '%rubbish%'`;
  await sql(rubbish, [runId, -1, '']);
  await sql(rubbish, [runId, 0, 'other']);
  await sameAgain('with snapshots of others', store, runId, seen, tally);
  await sql('alter table distilog.snapshots disable trigger append_only');
  await sql(`update distilog.snapshots set state = '{"rubbish":true}' where log_id = $1`, [runId]);
  await sql('alter table distilog.snapshots enable always trigger append_only');
  await sameAgain('with false snapshots', store, runId, seen, tally);
  const next = folds.map((fold) => ({ ...fold, version: fold.version + 1 }));
  for (const look of seen) {
    const states = await statesAt(store, runId, look.position, next);
    if (!isDeepStrictEqual(states, look.states))
      throw new Error(`the next version used a snapshot of this one at position ${look.position} of run ${runId}`);
  }
}

/** Copies a store's history to a new database of a server, as a dump and its restoration would, and repeats the looks there. */
async function sameElsewhere(
  when: string,
  arena: Arena,
  server: pg.ClientConfig,
  runId: string,
  seen: readonly Look[],
  tally: Tally,
): Promise<void> {
  const name = `restored_${runId.replaceAll('-', '_')}`;
  const there = async (config: pg.ClientConfig, text: string, values: readonly unknown[] = []) => {
    const client = new pg.Client(config);
    await client.connect();
    try {
      await client.query(text, [...values]);
    } finally {
      await client.end();
    }
  };
  const { host, port, user, password } = new pg.Client(server);
  const target = () => ({ host, port, user: user ?? '', password: password ?? '', database: name });
  await there(server, `create database ${name} encoding 'UTF8' template template0`);
  await migrate(target);
  for (const table of ['heads', 'commits', 'chunks', 'events']) {
    const rows = await arena.sql<{ line: string }>(`select row_to_json(t)::text as line from distilog.${table} t`);
    const text = `insert into distilog.${table} select r.* from unnest($1::text[]) as l (line), json_populate_record(null::distilog.${table}, line::json) r`;
    await there(target(), text, [rows.map(({ line }) => line)]);
  }
  const store = await openPostgresStore(target);
  await sameAgain(when, store, runId, seen, tally);
  await store.close();
  await there(server, `drop database ${name}`);
}

/** Makes the append function read a clock that the test can set. */
async function movableClock({ sql }: Arena): Promise<void> {
  await sql(`create table public.storm_clock as select interval '0' as ahead`);
  const [found] = await sql<{ text: string }>(`select pg_get_functiondef('distilog.append'::regproc) as text`);
  const moved = found?.text.replaceAll('clock_timestamp()', '(clock_timestamp() + (select ahead from public.storm_clock))');
  if (moved === undefined || moved === found?.text) throw new Error('the append function reads no clock');
  await sql(moved);
}

const setClock = ({ sql }: Arena, seconds: number) => sql('update public.storm_clock set ahead = make_interval(secs => $1)', [seconds]);
