// Attacks an embedded store: rounds of four clients that write, while processes of the store and of the clients are killed. By hand: npm run storm -- embedded
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedStore } from '../../src/postgres/index.ts';
import { randomFrom } from '../unit/random.ts';
import { patientPool } from './patient-pool.ts';
import { processesOf, readyPostmaster, signal, untilGone, type StoreProcess } from './processes.ts';

/** The faults that are injected; the first three are drawn more often. */
const blows = [
  'client',
  'client',
  'postmaster',
  'postmaster',
  'supervisor',
  'supervisor',
  'watchdog',
  'backend',
  'all-clients',
  'everything-but-postmaster',
  'everything',
  'supervisor+watchdog',
  'supervisor+postmaster',
  'term-supervisor',
  'int-postmaster',
  'quit-postmaster',
  'stop-postmaster',
] as const;
type Blow = (typeof blows)[number];

const clientCount = 4;
const blowsMax = 4;
const roundTimeoutMs = 60_000;
const startTimeoutMs = 10_000;
const sampleMs = 25;
/** Once in so many rounds the server outlives its last client as long as it does in production. */
const slowRounds = 20;

export interface AttackOptions {
  readonly folder: string;
  readonly rounds: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface AttackFigures {
  /** Rows that the server acknowledged. */
  readonly rows: number;
  /** Acknowledged rows that the next client did not find. */
  readonly lost: number;
  /** How often two postmasters, or backends of another postmaster than the ready one, were seen on the data directory. */
  readonly doubles: number;
  readonly strays: number;
  readonly samples: number;
  /** Clients that failed, rounds that hung, processes that stayed. */
  readonly failures: readonly string[];
  /** How long the client after each round took until its first query, and how long the store took to stop after it. */
  readonly nextMs: Spread;
  readonly goneMs: Spread;
  readonly struck: Readonly<Partial<Record<Blow, number>>>;
}

interface Spread {
  readonly p50: number;
  readonly max: number;
}

interface Round {
  readonly idleMs: number;
  /** The time from the end of the round to the next client: the server still runs, is stopping, or has stopped. */
  readonly restMs: number;
  readonly clients: readonly { readonly afterMs: number; readonly lifeMs: number; readonly leave: 'exit' | 'close' }[];
  readonly blows: readonly { readonly afterMs: number; readonly blow: Blow; readonly chance: number; readonly stoppedMs: number }[];
}

type Random = ReturnType<typeof randomFrom>;

const planRound = (random: Random, round: number): Round => ({
  idleMs: round % slowRounds === 0 ? 5_000 : 500,
  restMs: random.chance(0.5) ? 0 : random.below(1_200),
  clients: Array.from({ length: clientCount }, () => ({
    afterMs: random.below(1_000),
    lifeMs: 300 + random.below(1_700),
    leave: random.chance(0.5) ? 'exit' : 'close',
  })),
  blows: Array.from({ length: 1 + random.below(blowsMax) }, () => ({
    afterMs: random.below(2_500),
    blow: random.pick(blows),
    chance: random.next(),
    stoppedMs: 300 + random.below(1_500),
  })),
});

export async function attack({ folder, rounds, seed, say }: AttackOptions): Promise<AttackFigures> {
  fs.mkdirSync(folder, { recursive: true });
  const random = randomFrom(seed);
  const acknowledged = path.join(folder, 'acknowledged');
  fs.writeFileSync(acknowledged, '');
  const failures: string[] = [];
  const struck: Partial<Record<Blow, number>> = {};
  const nextMs: number[] = [];
  const goneMs: number[] = [];
  let lost = 0;
  const fail = (line: string) => {
    failures.push(line);
    say(line);
  };
  const watched = watch(folder, say);
  for (let round = 1; round <= rounds; round++) {
    const plan = planRound(random, round);
    process.env['DISTILOG_IDLE_MS'] = String(plan.idleMs);
    const hits = await runRound(folder, acknowledged, plan, (line) => fail(`round ${round}: ${line}`));
    for (const blow of hits) struck[blow] = (struck[blow] ?? 0) + 1;
    await sleep(plan.restMs);
    const start = Date.now();
    try {
      const next = await findRows(folder, acknowledged);
      lost = Math.max(lost, next.missing);
      nextMs.push(next.connectedAt - start);
      if (next.missing > 0) say(`round ${round}: ${next.missing} rows are lost`);
    } catch (error) {
      fail(`round ${round}: the next client: ${String(error)}`);
    }
    const end = Date.now();
    const left = await untilGone(folder, 20_000);
    goneMs.push(Date.now() - end);
    if (left.length > 0) fail(`round ${round}: still running: ${JSON.stringify(left)}`);
    for (const { pid } of left) signal(pid);
    say(`round ${round}: ${hits.join(', ') || 'no hit'}; next client ${nextMs.at(-1)} ms, gone after ${goneMs.at(-1)} ms`);
  }
  const rows = linesOf(acknowledged).length;
  return { rows, lost, ...watched.end(), failures, nextMs: spreadOf(nextMs), goneMs: spreadOf(goneMs), struck };
}

/** Samples the processes of the data directory. Counts only what two samples in a row see, because the list of processes is not read atomically. */
function watch(folder: string, say: (line: string) => void): { end(): Pick<AttackFigures, 'doubles' | 'strays' | 'samples'> } {
  const seen = { doubles: 0, strays: 0, samples: 0 };
  const before = { doubles: '', strays: '' };
  const reported = { doubles: '', strays: '' };
  const note = (what: 'doubles' | 'strays', who: readonly StoreProcess[]) => {
    const key = who.map(({ pid }) => pid).join();
    if (key && key === before[what] && key !== reported[what]) {
      seen[what] += 1;
      reported[what] = key;
      say(`${what}: ${JSON.stringify(processesOf(folder))}`);
    }
    before[what] = key;
  };
  const timer = setInterval(() => {
    seen.samples += 1;
    const all = processesOf(folder);
    // A fork of a postmaster looks like a postmaster until it sets its own title. Its parent distinguishes it. If the parent was killed meanwhile,
    // the fork has neither a supervisor above it nor a process below it.
    const supervisors = new Set(all.filter(({ role }) => role === 'supervisor').map(({ pid }) => pid));
    const parents = new Set(all.map(({ parent }) => parent));
    const postmasters = all.filter(({ role, pid, parent }) => role === 'postmaster' && (supervisors.has(parent) || parents.has(pid)));
    note('doubles', postmasters.length > 1 ? postmasters : []);
    const ready = readyPostmaster(folder);
    const isReady = postmasters.length === 1 && postmasters[0]?.pid === ready;
    note('strays', isReady ? all.filter(({ role, parent }) => role === 'backend' && parent !== ready) : []);
  }, sampleMs);
  return {
    end: () => {
      clearInterval(timer);
      return seen;
    },
  };
}

async function runRound(folder: string, acknowledged: string, plan: Round, fail: (line: string) => void): Promise<readonly Blow[]> {
  const clients: ChildProcess[] = [];
  const hits: Blow[] = [];
  const timer = setTimeout(() => {
    fail(`hangs: ${JSON.stringify(processesOf(folder))}`);
    for (const client of clients) client.kill('SIGKILL');
  }, roundTimeoutMs);
  const program = path.join(import.meta.dirname, 'attack-client.ts');
  const live = plan.clients.map(async ({ afterMs, lifeMs, leave }) => {
    await sleep(afterMs);
    const args = ['--no-warnings', program, folder, acknowledged, String(lifeMs), leave];
    const client = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    clients.push(client);
    const code = await new Promise<number | null>((resolve) => client.once('exit', resolve));
    if (code) fail(`a client failed with ${code}`);
  });
  // On a busy machine the first client starts late, and before that there is no process to kill.
  const started = untilStarted(folder);
  const strikes = plan.blows.map(async ({ afterMs, blow, chance, stoppedMs }) => {
    await started;
    await sleep(afterMs);
    const victims = victimsOf(blow, processesOf(folder), clients, chance).filter((pid) => signal(pid, signals[blow]));
    if (victims.length > 0) hits.push(blow);
    if (signals[blow] !== 'SIGSTOP') return;
    await sleep(stoppedMs);
    for (const pid of victims) signal(pid, 'SIGCONT');
  });
  await Promise.all([...live, ...strikes]);
  clearTimeout(timer);
  return hits;
}

async function untilStarted(folder: string): Promise<void> {
  for (const until = Date.now() + startTimeoutMs; processesOf(folder).length === 0 && Date.now() < until; ) await sleep(sampleMs);
}

/** The signals of faults that do not send SIGKILL. */
const signals: Readonly<Partial<Record<Blow, NodeJS.Signals>>> = {
  'term-supervisor': 'SIGTERM',
  'int-postmaster': 'SIGINT',
  'quit-postmaster': 'SIGQUIT',
  'stop-postmaster': 'SIGSTOP',
};

function victimsOf(blow: Blow, all: readonly StoreProcess[], clients: readonly ChildProcess[], chance: number): readonly number[] {
  const the = (...roles: readonly StoreProcess['role'][]) => all.filter(({ role }) => roles.includes(role)).map(({ pid }) => pid);
  const some = (pids: readonly number[]) => pids.slice(Math.floor(chance * pids.length)).slice(0, 1);
  const living = clients
    .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    .flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  switch (blow) {
    case 'client':
      return some(living);
    case 'all-clients':
      return living;
    case 'backend':
      return some(the('backend'));
    case 'watchdog':
      return the('watchdog');
    case 'supervisor':
    case 'term-supervisor':
      return the('supervisor');
    case 'supervisor+watchdog':
      return the('supervisor', 'watchdog');
    case 'supervisor+postmaster':
      return the('supervisor', 'postmaster');
    case 'everything-but-postmaster':
      return [...living, ...the('supervisor', 'watchdog')];
    case 'everything':
      return [...living, ...all.map(({ pid }) => pid)];
    case 'postmaster':
    case 'int-postmaster':
    case 'quit-postmaster':
    case 'stop-postmaster':
      return the('postmaster');
  }
}

/** Connects as the client after a round. Returns when it had its first answer, and how many acknowledged rows it did not find. */
async function findRows(folder: string, acknowledged: string): Promise<{ readonly connectedAt: number; readonly missing: number }> {
  const store = await openEmbeddedStore(folder, { timeoutMs: 40_000 });
  const pool = patientPool(store, 1);
  try {
    await pool.query('create table if not exists attacked (id text primary key, padding text)');
    const connectedAt = Date.now();
    const sql =
      'select count(*)::int as missing from unnest($1::text[]) as there (id) where not exists (select from attacked where attacked.id = there.id)';
    const { rows } = await pool.query(sql, [linesOf(acknowledged)]);
    return { connectedAt, missing: (rows as { missing: number }[])[0]?.missing ?? 0 };
  } finally {
    store.close();
    await pool.end();
  }
}

const linesOf = (file: string): readonly string[] => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length / 2)] ?? 0, max: sorted.at(-1) ?? 0 };
}
