import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { messageOf } from '../../../src/kit/fault.ts';
import { killGroup, type Result } from '../../e2e/command-line.ts';
import { signal } from '../../embedded/processes.ts';
import { randomFrom } from '../../unit/random.ts';
import { openArena, type Arena } from './arena.ts';
import type { Area } from '../area.ts';
import { againArgs, beginArgs, inTime } from './driven-process.ts';
import { everyOperator } from './every-operator.ts';
import { RunUnderAttack } from './run-under-attack.ts';
import { Tally } from './tally.ts';
import { undisturbed } from './undisturbed.ts';

type Random = ReturnType<typeof randomFrom>;

/** The number of processes that resume one run at the same instant. */
const rivals = 3;
const endMs = 90_000;
const pollMs = 20;

/** Processes that take the same run at the same moment, and stale writers, which continue after they lost it. */
export const ghosts: Area = {
  name: 'ghosts',
  does: 'lets several processes resume one run at the same instant, and takes runs over while an append is under way',
  run: async ({ seed, seeds, kills, say }) => {
    const tally = new Tally();
    const arena = await openArena();
    let own = seed;
    try {
      for (; own < seed + seeds && tally.blows < kills; own++) {
        const random = randomFrom(own * 4099 + 11);
        await race(arena, own, tally);
        for (const moment of ['append/before', 'append/sent', 'head held'] as const)
          if (tally.blows < kills) await takeOverFlush(arena, { seed: own, random, tally, moment });
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

/** Kills a run's driver and lets several processes resume the run at the same instant. They wait for each other just before each takes the run's lock. */
async function race(arena: Arena, seed: number, tally: Tally): Promise<void> {
  const world = { ...everyOperator({ seed, isRetried: true, isLong: false }), slowMs: 20 };
  const { first } = await undisturbed(world);
  const run = new RunUnderAttack(arena);
  const driver = run.start(beginArgs(world), world);
  await driver.drives;
  killGroup(driver.child);
  await driver.ended;
  tally.struck('drivers killed');
  const { runId = '' } = await run.look();
  const env = { STORM_MEETING: path.join(arena.folder, `meeting-${runId}`), STORM_GUESTS: String(rivals) };
  const results = await Promise.all(
    Array.from({ length: rivals }, () => inTime(run.start(againArgs('resume', runId), world, env).ended, endMs, 'a rival')),
  );
  const refused = results.filter(({ code, stderr }) => code === 2 && /is driven by .*, process \d+, since .*--take-over/.test(stderr));
  const drove = results.filter(({ stdout }) => stdout.includes('"outcome"'));
  if (drove.length !== 1 || refused.length !== rivals - 1) throw new Error(`of ${rivals} rivals: ${JSON.stringify(results)}`);
  const [head] = await arena.sql<{ epoch: string }>('select epoch from distilog.heads where log_id = $1', [runId]);
  if (Number(head?.epoch) !== 2) throw new Error(`run ${runId}, taken over once, has epoch ${head?.epoch}`);
  await run.check(1, first, tally);
  tally.count('races, one winner each');
}

interface Flush {
  readonly seed: number;
  readonly random: Random;
  readonly tally: Tally;
  /** The point at which the driver is stopped. With `head held` it is not stopped, and its append waits for a locked head. */
  readonly moment: 'append/before' | 'append/sent' | 'head held';
}

/** Takes a run over while its driver's append is in flight, and lets the stale writer continue. */
async function takeOverFlush(arena: Arena, { seed, random, tally, moment }: Flush): Promise<void> {
  const world = { ...everyOperator({ seed, isRetried: true, isLong: false }), slowMs: 100 };
  const { first } = await undisturbed(world);
  const run = new RunUnderAttack(arena);
  const struck = path.join(arena.folder, `struck-${seed}-${tally.blows}`);
  const stop = { STORM_POINT: moment, STORM_COUNT: String(2 + random.below(12)), STORM_STRUCK: struck, STORM_SIGNAL: 'SIGSTOP' };
  const ghost = run.start(beginArgs(world), world, moment === 'head held' ? {} : stop);
  const runId = await inTime(ghost.drives, endMs, 'the start of a run');
  if (runId === undefined) throw new Error(`a run did not start: ${(await ghost.ended).stderr}`);
  const release = moment === 'head held' ? await holdHead(arena, runId) : null;
  await untilTrue(async () => (release ? release.isWaitedFor() : fs.existsSync(struck)), `an append of run ${runId} at ${moment}`);
  tally.struck(`takeovers, ${moment}`);
  const taker = run.start(againArgs('resume', runId, '--take-over'), world);
  if (release) {
    // Releases the head while the stale writer's connection is ended, or while the process that ends it waits for the head too.
    await untilTrue(() => release.isConnected(taker.pid), `a takeover of run ${runId}`);
    await sleep(random.below(300));
    await release.end();
  }
  await inTime(taker.drives, endMs, 'a takeover');
  // While the new driver works, the run's lock keeps a stale writer out. Once the new driver has gone, only the epoch does.
  if (random.chance(0.5)) await inTime(taker.ended, endMs, 'a run that was taken over');
  else await sleep(random.below(300));
  signal(ghost.pid, 'SIGCONT');
  checkGhost(await inTime(ghost.ended, endMs, 'a stale writer'));
  const { code, stderr } = await inTime(taker.ended, endMs, 'a run that was taken over');
  if (code !== 3) throw new Error(`the process that took run ${runId} over ended with ${code}: ${stderr}`);
  const heard = await arena.sql(
    `select position from distilog.commits c join distilog.events e on e.log_id = c.log_id and e.position between c.first and c.last
      where c.log_id = $1 and c.writer like '%:' || $2::text and c.first > (select min(position) from distilog.events where log_id = $1 and type = 'RunResumed')`,
    [runId, ghost.pid],
  );
  if (heard.length > 0) throw new Error(`the stale writer ${ghost.pid} of run ${runId} stored appends: ${JSON.stringify(heard)}`);
  await run.check(1, first, tally);
}

async function untilTrue(look: () => Promise<boolean>, what: string): Promise<void> {
  for (const until = Date.now() + endMs; !(await look()); await sleep(pollMs))
    if (Date.now() > until) throw new Error(`timed out waiting for ${what}`);
}

function checkGhost({ code, stderr }: Result): void {
  if (code !== 1 || !/was taken over by .*This process has stopped/.test(stderr))
    throw new Error(`a stale writer ended with ${code} and printed: ${stderr}`);
}

/** Locks a log's head, as a slow append does. */
async function holdHead(arena: Arena, runId: string) {
  const client = new pg.Client(arena.owner());
  client.on('error', () => undefined);
  await client.connect();
  await client.query('begin');
  await client.query('select from distilog.heads where log_id = $1 for update', [runId]);
  return {
    isWaitedFor: async () =>
      (await client.query(`select from pg_locks where not granted and locktype in ('transactionid', 'tuple')`)).rows.length > 0,
    // Asked on another connection, because within a transaction the list of sessions does not change.
    isConnected: async (pid: number) =>
      (await arena.sql(`select from pg_stat_activity where application_name like 'distilog driver ' || $1::text || ' %'`, [pid])).length >
      0,
    end: async () => {
      await client.query('rollback');
      await client.end();
    },
  };
}
