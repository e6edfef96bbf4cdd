// Imported before the command line (`--import`): kills or stops its own process at a chosen point, has several processes meet at another, and writes down,
// outside of the store, what the store acknowledged. It wraps what the program calls of `pg` and Node, so that the program itself knows of no test.
import child_process from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import pg from 'pg';

/** `STORM_POINT` and `STORM_COUNT`: dies, or whatever `STORM_SIGNAL` does, at the so-manieth passing; once: `STORM_STRUCK` is the file that says that it did. */
const { STORM_POINT: point, STORM_COUNT: count = '1', STORM_STRUCK: struck = '', STORM_SIGNAL: name = 'SIGKILL' } = process.env;
/** `STORM_ACKNOWLEDGED`: a file for what the store answered. `STORM_MEETING`: a file in which as many processes as `STORM_GUESTS` wait for each other. */
const { STORM_ACKNOWLEDGED: acknowledged, STORM_MEETING: meeting, STORM_GUESTS: guests = '2' } = process.env;
const meetingMs = 30_000;
let passed = 0;

function pass(at: string): void {
  if (at !== point || ++passed < Number(count)) return;
  try {
    fs.closeSync(fs.openSync(struck, 'wx'));
  } catch {
    return;
  }
  process.kill(process.pid, name);
}

/** Waits, with the whole process, until everybody is there. */
function meet(): void {
  if (meeting === undefined) return;
  fs.appendFileSync(meeting, '.');
  for (const until = Date.now() + meetingMs; fs.statSync(meeting).size < Number(guests) && Date.now() < until; )
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

/** What a statement is for, by the function or table that it names. */
const purposes = [
  ['append', /distilog\.append\(/],
  ['takeover', /distilog\.take_over\(/],
  ['creation', /distilog\.create_run\(/],
  ['chunk', /distilog\.store_chunks\(/],
  ['snapshot', /distilog\.store_snapshots\(/],
  ['server-roles', /create role|alter role/i],
] as const;

const textOf = (query: unknown): string => (typeof query === 'string' ? query : ((query as { readonly text?: string } | null)?.text ?? ''));

interface Answered {
  readonly outcome?: string;
  readonly last?: number;
  readonly hash?: Buffer;
}

const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (this: pg.Client, ...args: readonly unknown[]) {
  const text = textOf(args[0]);
  if (/pg_try_advisory_lock/.test(text)) meet();
  const [purpose] = purposes.find(([, pattern]) => pattern.test(text)) ?? [];
  if (purpose === undefined) return Reflect.apply(query, this, args) as never;
  pass(`${purpose}/before`);
  const asked = Reflect.apply(query, this, args) as unknown;
  // What was sent is the kernel's now, and arrives without us.
  pass(`${purpose}/sent`);
  if (!(asked instanceof Promise)) return asked as never;
  return asked.then((result: pg.QueryResult<Answered>) => {
    const [row] = result.rows ?? [];
    const [log] = (args[0] as { readonly values?: readonly string[] }).values ?? [];
    if (acknowledged !== undefined && row?.outcome === 'ok')
      fs.appendFileSync(acknowledged, `${log} ${row.last} ${row.hash?.toString('hex')}\n`);
    pass(`${purpose}/acknowledged`);
    return result;
  }) as never;
} as typeof query;

/** What is renamed, by its name before: a data directory, an export as a whole, and a file in it. */
const renamed = [
  ['server-data', /\.new-[^/]*$/],
  ['export', /\.[0-9a-f]{8}-\d+-[a-z0-9]+\.tmp$/],
  ['shard', /\.tmp\//],
] as const;

const { renameSync, linkSync } = fs;
fs.renameSync = (from, to) => {
  const what = renamed.find(([, pattern]) => pattern.test(String(from)))?.[0];
  if (what) pass(`${what}/before`);
  renameSync(from, to);
  if (what) pass(`${what}/after`);
};
fs.linkSync = (from, to) => {
  pass('file/before');
  linkSync(from, to);
  pass('file/after');
};

const { spawn } = child_process;
child_process.spawn = ((file: string, args: readonly string[] = [], options: child_process.SpawnOptions = {}) => {
  const isSupervisor = args.includes('--supervise');
  const program = /\/(initdb|postgres)$/.exec(file)?.[1];
  const what = isSupervisor ? 'supervisor' : program ? `server-${program}` : null;
  if (what) pass(`${what}/before`);
  // The supervisor has points of its own.
  const words = isSupervisor ? ['--import', import.meta.url, ...args] : args;
  const child = spawn(file, words, options);
  if (what) pass(`${what}/after`);
  return child;
}) as typeof spawn;

const { kill } = process;
process.kill = (pid, signal) => {
  const isStop = signal === 'SIGINT' && process.argv.includes('--supervise');
  if (isStop) pass('server-stop/before');
  const sent = kill.call(process, pid, signal);
  if (isStop) pass('server-stop/after');
  return sent;
};
syncBuiltinESMExports();
