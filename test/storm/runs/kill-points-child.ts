// Imported before the command line (`--import`): kills or stops its own process at a chosen point, and lets several processes wait for each other at
// another. Records outside the store what the store acknowledged. It wraps functions of `pg` and Node, so that the program contains no test code.
import child_process from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import pg from 'pg';

/** Sends `STORM_SIGNAL` (SIGKILL by default) to itself at the nth time it passes `STORM_POINT`, n being `STORM_COUNT`. The file `STORM_STRUCK` ensures that this happens once. */
const { STORM_POINT: point, STORM_COUNT: count = '1', STORM_STRUCK: struck = '', STORM_SIGNAL: name = 'SIGKILL' } = process.env;
/** `STORM_ACKNOWLEDGED` is a file for the store's answers. `STORM_MEETING` is a file by which as many processes as `STORM_GUESTS` wait for each other. */
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

/** Blocks the whole process until every process has arrived. */
function meet(): void {
  if (meeting === undefined) return;
  fs.appendFileSync(meeting, '.');
  for (const until = Date.now() + meetingMs; fs.statSync(meeting).size < Number(guests) && Date.now() < until; )
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

/** The purpose of a statement, by the function that it names. */
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
  // The kernel has the statement now and delivers it even if this process dies.
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

/** The kind of a renamed path, by its old name: a data directory, an export as a whole, or a file in one. */
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
