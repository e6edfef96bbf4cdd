// The story of distilog, told by the real program: npm run demo
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, 'demo-output');
const program = path.join(root, 'dist/src/cli/bin.js');
const pipeline = path.join('..', 'examples', 'dictionary.ts');
const ledger = path.join(folder, 'ledger.jsonl');
const entries = 3000;
const colour = process.stdout.isTTY && !process.env['NO_COLOR'];
const environment = {
  ...process.env,
  DISTILOG_STORE: '',
  DATABASE_URL: '',
  XDG_STATE_HOME: path.join(folder, 'state'),
  LOCAL_MODEL_LEDGER: ledger,
  NODE_NO_WARNINGS: '1',
  ...(colour ? { FORCE_COLOR: '1' } : {}),
};

const started = Date.now();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);

title('1', `A run of ${entries} WordNet entries: entries → question → answer → short / long`);
const run = begin(['run', pipeline, '--param', `limit=${entries}`, '--seed', '42']);
const runId = await firstLine(run);
say(`It is called ${runId}. Another process looks on.`);

title('2', 'While it runs: how far it is, what is there, and an export of it');
await until(() => share('answer'), 0.2);
show(['status']);
show(['distiset']);
show(['distiset', '--out', 'early']);
const early = exported('early');
say(`Exported as of position ${early.position}. The run goes on meanwhile.`);

title('3', 'The machine dies: kill -9 of the run');
await until(() => share('answer'), 0.4);
const killedAt = Date.now();
if (run.pid) process.kill(-run.pid, 'SIGKILL');
await sleep(300);
show(['status']);

title('4', 'Resume: what was found in the log, what is asked again');
const before = asked();
show(['resume', '--json']);
const again = askedTwice();
say(
  `${before} questions had been asked when it died. ${again.count} answered ones were asked again, the oldest ${again.oldestMs} ms before the kill:`,
);
say('an answer is paid for twice at most if it came within the last second, for every second is written down.');

title('5', 'The dataset, whole; what was lost; and the past, which is still there');
show(['distiset', '--out', 'final']);
show(['errors']);
show(['distiset', '--at', String(early.position), '--out', 'early-again']);
const isSame = early.hash === exported('early-again').hash;
say(`Files of the export in (2): SHA-256 ${early.hash}`);
say(`the same position, now:     SHA-256 ${exported('early-again').hash}  ${isSame ? 'the same, byte for byte' : 'DIFFERENT'}`);
if (!isSame) process.exit(1);

title('6', 'Is it what was recorded? And if somebody had changed one event?');
show(['verify']);
const copy = path.join(folder, 'copy');
execute(['db', 'stop'], folder);
mkdirSync(copy);
cpSync(path.join(folder, '.distilog'), path.join(copy, '.distilog'), { recursive: true });
const altered = await alterOneEvent();
say(`In a copy of the store, its owner switches all guards off and changes one word of position ${altered}.`);
show(['verify'], copy);
execute(['db', 'stop'], copy);

say('');
say(
  `That took ${((Date.now() - started) / 1000).toFixed(0)} s. Everything is in ${path.relative(process.cwd(), folder) || '.'}: early, early-again and final are datasets. Try, in that folder:`,
);
for (const command of ['log --type BatchAbandoned', 'distiset --at 5s --format jsonl --out lines', 'status --at 100']) {
  console.log(`  npx node ../dist/src/cli/bin.js ${command}`);
}

function title(number: string, text: string): void {
  console.log(`\n${colour ? '\u001b[1m' : ''}(${number}) ${text}${colour ? '\u001b[0m' : ''}\n`);
}

function say(text: string): void {
  console.log(text);
}

/** Starts a command beside this one, in a process group of its own. */
function begin(args: readonly string[]): ChildProcess {
  console.log(`$ distilog ${args.join(' ').replace(pipeline, 'examples/dictionary.ts')}`);
  return spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Runs a command as a user would, and shows it. */
function show(args: readonly string[], where = folder): void {
  console.log(`$ distilog ${args.join(' ')}`);
  console.log(execute(args, where));
}

function execute(args: readonly string[], where: string): string {
  // A store is used without a question only where it was made. The copy of step (6) is accepted by name.
  const env = { ...environment, DISTILOG_TRUST_STORE: where };
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: where, env, encoding: 'utf8' });
  return `${stdout}${stderr}`;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`the run ended with ${code} before it said its name: npm run build, then npm run demo`)));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n')[0] as string);
    });
  });
}

interface StepShare {
  readonly steps: readonly { readonly name: string; readonly rows: { readonly in: number } }[];
}

/** The share of the entries that a step has taken in. */
function share(step: string): number {
  const { steps } = JSON.parse(execute(['status', '--json'], folder)) as StepShare;
  return (steps.find(({ name }) => name === step)?.rows.in ?? 0) / entries;
}

async function until(measure: () => number, wanted: number): Promise<void> {
  while (measure() < wanted) await sleep(50);
}

function exported(name: string): { readonly position: number; readonly hash: string } {
  const { asOf } = JSON.parse(readFileSync(path.join(folder, name, 'distilog.json'), 'utf8')) as { asOf: { position: number } };
  const hash = createHash('sha256');
  for (const file of readdirSync(path.join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort())
    hash.update(readFileSync(file));
  return { position: asOf.position, hash: hash.digest('hex') };
}

interface Note {
  readonly what: 'asked' | 'answered';
  readonly key: string;
  readonly at: number;
}

function notes(): readonly Note[] {
  return readFileSync(ledger, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Note);
}

function asked(): number {
  return new Set(notes().map(({ key }) => key)).size;
}

/** Questions whose answer had come before the kill, and that were asked again. */
function askedTwice(): { readonly count: number; readonly oldestMs: number } {
  const answered = new Map<string, number>();
  let count = 0;
  let oldestMs = 0;
  for (const { what, key, at } of notes()) {
    if (what === 'answered' && at <= killedAt) answered.set(key, at);
    const before = answered.get(key);
    if (what !== 'asked' || at <= killedAt || before === undefined) continue;
    count++;
    oldestMs = Math.max(oldestMs, killedAt - before);
  }
  return { count, oldestMs };
}

/** What somebody with the owner's password could do. */
async function alterOneEvent(): Promise<number> {
  const url = execute(['db', 'url', '--admin'], copy).trim();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('alter table distilog.events disable trigger all');
  const { rows } = await client.query<{ position: string }>(
    `update distilog.events set data = replace(data, '"rowsIn":100', '"rowsIn":101')
      where log_id = $1 and position = (select max(position) from distilog.events where log_id = $1 and type = 'BatchSucceeded' and step = 'answer' and position < 150 and data like '%"rowsIn":100%') returning position`,
    [runId],
  );
  await client.end();
  return Number(rows[0]?.position);
}
