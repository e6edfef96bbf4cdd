import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../../src/kit/fault.ts';
import { pause } from '../../../src/kit/pause.ts';
import { verifyDistiset } from '../../../src/distiset/index.ts';
import { untilGone } from '../../embedded/processes.ts';
import type { World } from '../../unit/engine/random-pipeline.ts';
import { randomFrom } from '../../unit/random.ts';
import { makeFolder, openArena, type Arena } from './arena.ts';
import type { Area } from '../area.ts';
import { beginArgs, driveWorld, inTime } from './driven-process.ts';
import { everyOperator } from './every-operator.ts';
import { RunUnderAttack } from './run-under-attack.ts';
import { Tally } from './tally.ts';
import { undisturbed } from './undisturbed.ts';

type Random = ReturnType<typeof randomFrom>;

/** A point at which a process is killed, and how often a run of every operator passes it at least. */
interface Point {
  readonly name: string;
  readonly passings: number;
}

/** The points of a driver's writes: before a write is sent, after it was sent, and after it was acknowledged. */
const driverPoints: readonly Point[] = Object.entries({ creation: 1, takeover: 1, snapshot: 2, append: 15, chunk: 10 }).flatMap(
  ([what, passings]) => ['before', 'sent', 'acknowledged'].map((when) => ({ name: `${what}/${when}`, passings })),
);
/** The points at which an export becomes visible, as a whole and file by file, and those of a list of errors. */
const exportPoints = ['export/before', 'export/after', 'shard/before', 'shard/after'] as const;
const filePoints = ['file/before', 'file/after'] as const;
/** The points at which an embedded server is started or stopped, in its client and in its supervisor. */
const serverPoints = [
  ...['supervisor', 'server-initdb', 'server-data', 'server-postgres'].flatMap((what) => [`${what}/before`, `${what}/after`]),
  'server-roles/before',
  'server-roles/sent',
  'server-roles/acknowledged',
  'server-stop/before',
  'server-stop/after',
];

/** The number of points at which one pass of a run is killed. */
const pointsPerPass = 4;
const endMs = 90_000;
const lookAgainMs = 10;

/** Kills a process at every point with an outside effect, at the nth time it passes there, and lets another process continue. */
export const crashPoints: Area = {
  name: 'crash-points',
  does: 'kills processes at every point where something is stored, made visible, started or stopped',
  run: async ({ seed, seeds, kills, say }) => {
    const tally = new Tally();
    for (let own = seed; own < seed + seeds && tally.blows < kills; own++) {
      const random = randomFrom(own * 6271 + 5);
      const arena = await openArena();
      try {
        await attackDriver(arena, { seed: own, random, tally, kills });
        await attackExports(arena, { random, tally, kills });
        await arena.close();
        await attackServer({ seed: own, random, tally, kills });
      } catch (error) {
        await arena.close({ keep: true });
        throw new Error(`seed ${own}: ${messageOf(error)}\nThe store is kept: ${arena.folder}`, { cause: error });
      }
      say(`seed ${own}: ${tally.blows} kills`);
    }
    return tally.figures();
  },
};

interface Attack {
  readonly seed: number;
  readonly random: Random;
  readonly tally: Tally;
  /** The most kills in total. */
  readonly kills: number;
}

/** Kills drivers at each of their points, several per run, until every point was hit. */
async function attackDriver(arena: Arena, { seed, random, tally, kills }: Attack): Promise<void> {
  const open = shuffled(driverPoints, random);
  for (let runs = 0; open.length > 0 && tally.blows < kills; runs++) {
    if (runs > driverPoints.length) throw new Error(`these points were never passed: ${open.map(({ name }) => name).join(', ')}`);
    // Only a long run keeps snapshots.
    const isLong = open.every(isOfSnapshots) || (runs === 1 && open.some(isOfSnapshots));
    const world = everyOperator({ seed: seed + runs, isRetried: runs % 2 === 0, isLong });
    const expected = await undisturbed(world);
    const run = new RunUnderAttack(arena);
    await killAtPoints(run, { world, pass: 1, open, random, tally, kills, isLong });
    await run.check(1, expected.first, tally);
    if (typeof expected.retried === 'string') continue;
    await killAtPoints(run, { world: { ...world, isRepaired: true }, pass: 2, open, random, tally, kills, isLong });
    await run.check(2, expected.retried, tally);
  }
}

const isOfSnapshots = ({ name }: Point): boolean => name.startsWith('snapshot');

interface Pass extends Omit<Attack, 'seed'> {
  readonly world: World;
  readonly pass: number;
  /** Points that were not hit yet. A point is removed once it is hit. */
  readonly open: Point[];
  readonly isLong: boolean;
}

/** Drives a run to the end of a pass, and kills its processes at open points that they pass. */
async function killAtPoints(run: RunUnderAttack, { world, pass, open, random, tally, kills, isLong }: Pass): Promise<void> {
  let left = pointsPerPass;
  for (let args = await run.next(world, pass); args; args = await run.next(world, pass)) {
    const isPassed = ({ name }: Point) =>
      name.startsWith('creation')
        ? args?.[0] === 'run'
        : name.startsWith('takeover')
          ? args?.[0] !== 'run'
          : isLong === name.startsWith('snapshot');
    const index = left-- > 0 && tally.blows < kills ? open.findIndex(isPassed) : -1;
    const [point] = index < 0 ? [] : open.splice(index, 1);
    const struck = path.join(run.arena.folder, `struck-${tally.blows}-${random.below(1e9)}`);
    const env = point && { STORM_POINT: point.name, STORM_COUNT: String(1 + random.below(point.passings)), STORM_STRUCK: struck };
    const { code, stderr } = await inTime(
      run.start(args, world, env).ended,
      endMs,
      `a process that should be killed at ${point?.name ?? 'no point'}`,
    );
    if (point && fs.existsSync(struck)) {
      tally.struckAt(point.name);
      await inTime(driversGone(run.arena), endMs, `the last statement of a process that was killed at ${point.name}`);
    } else if (code === 0 || code === 3 || code === 4) open.push(...(point ? [point] : []));
    else throw new Error(`a process ended with ${code} at ${point?.name ?? 'no point'}, and printed: ${stderr}`);
  }
}

/** Waits until the server has executed the last statements of killed drivers. A look before that would see a run that is about to change. */
async function driversGone({ sql }: Arena): Promise<void> {
  while ((await sql(`select from pg_stat_activity where application_name like 'distilog driver %'`)).length > 0) await pause(lookAgainMs);
}

/** Kills exports of the arena's newest run. An export under its final name must be whole, and leftovers must not block the next export. */
async function attackExports(arena: Arena, { random, tally, kills }: Omit<Attack, 'seed'>): Promise<void> {
  const world = everyOperator({ seed: 1, isRetried: true, isLong: false });
  const out = path.join(arena.folder, 'out');
  /** The formats whose export at this position the side log records. */
  const recordedFormats = new Set<string>();
  for (const point of shuffled([...exportPoints, ...filePoints], random).slice(0, Math.max(0, kills - tally.blows))) {
    const isFile = filePoints.some((name) => name === point);
    const format = random.pick(['parquet', 'jsonl', 'csv']);
    const args = isFile ? ['errors', '--all', '--export', 'out'] : ['distiset', '--out', 'out', '--format', format];
    const struck = path.join(arena.folder, `struck-${point.replace('/', '-')}`);
    const env = { STORM_POINT: point, STORM_STRUCK: struck };
    const { code, stderr } = await driveWorld(args, { folder: arena.folder, world, env }).ended;
    if (!fs.existsSync(struck)) throw new Error(`an export ended with ${code}, and never passed ${point}: ${stderr}`);
    tally.struckAt(point);
    if (fs.existsSync(out) !== (point === 'export/after' || point === 'file/after'))
      throw new Error(`killed at ${point}, and out ${fs.existsSync(out) ? 'exists' : 'does not exist'}`);
    if (!fs.existsSync(out)) {
      const again = await driveWorld(args, { folder: arena.folder, world }).ended;
      if (again.code !== 0 && again.code !== 3)
        throw new Error(`after a kill at ${point} the next export ended with ${again.code}: ${again.stderr}`);
      if (!isFile) recordedFormats.add(format);
    }
    await checkExport(arena, out, { isFile, isInSideLog: recordedFormats.has(format) });
    fs.rmSync(out, { recursive: true });
    const left = fs.readdirSync(arena.folder).filter((name) => /^\.out\..*\.tmp$/.test(name));
    if (!isFile && left.length > 0 && point !== 'export/after') throw new Error(`a kill at ${point} left ${left.join(', ')}`);
    for (const name of left) fs.rmSync(path.join(arena.folder, name), { recursive: true });
  }
}

/** Checks that an export is whole. A process that dies right after its export becomes visible has not recorded it in the side log. */
async function checkExport(
  { store }: Arena,
  out: string,
  { isFile, isInSideLog }: { readonly isFile: boolean; readonly isInSideLog: boolean },
): Promise<void> {
  if (isFile) {
    const lines = fs.readFileSync(out, 'utf8').split('\n');
    if (lines.pop() !== '') throw new Error('a list of errors ends in the middle of a line');
    for (const line of lines) JSON.parse(line);
    return;
  }
  const { ok, isRecorded, differences, ...verified } = await verifyDistiset(store, out);
  if (!ok || isRecorded !== isInSideLog) throw new Error(`an export is not whole: ${JSON.stringify({ ...verified, differences })}`);
}

/** Kills processes that start or stop an embedded server, and checks that the run comes to the rows of an undisturbed one. */
async function attackServer({ seed, random, tally, kills }: Attack): Promise<void> {
  const world = everyOperator({ seed, isRetried: true, isLong: false });
  const expected = await undisturbed(world);
  for (const point of shuffled(serverPoints, random).slice(0, Math.max(0, kills - tally.blows))) {
    // A server is created only in an empty folder.
    const folder = makeFolder();
    const struck = path.join(folder, 'struck');
    const env = { STORM_POINT: point, STORM_STRUCK: struck, DISTILOG_IDLE_MS: '300' };
    const first = driveWorld(beginArgs(world), { folder, world, env });
    const { code, stderr } = await inTime(first.ended, endMs, `a run whose server is killed at ${point}`);
    if (point.startsWith('server-stop')) await untilGone(folder, endMs);
    if (!fs.existsSync(struck)) throw new Error(`point ${point} was never passed`);
    tally.struckAt(point);
    // Here the client itself dies, before there is a run. Any other process is started again by the process that needs it.
    const isOwnDeath = point.startsWith('supervisor');
    if (isOwnDeath ? code !== null : code !== 3) throw new Error(`a run whose server was killed at ${point} ended with ${code}: ${stderr}`);
    const arena = await openArena(folder);
    try {
      const run = new RunUnderAttack(arena, await firstRun(arena));
      const args = await run.next(world, 1);
      if (args) await inTime(run.start(args, world).ended, endMs, `the run after a kill at ${point}`);
      await run.check(1, expected.first, tally);
      await arena.close();
    } catch (error) {
      await arena.close({ keep: true });
      throw new Error(`after a kill at ${point} in ${folder}: ${messageOf(error)}`, { cause: error });
    }
  }
}

async function firstRun({ sql }: Arena): Promise<string | undefined> {
  const rows = await sql<{ run: string }>(`select log_id as run from distilog.heads where log_id not like '%/side' and position > 0`);
  return rows[0]?.run;
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  return all
    .map((each) => [random.next(), each] as const)
    .sort(([a], [b]) => a - b)
    .map(([, each]) => each);
}
