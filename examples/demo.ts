// Runs the built program through a run, a crash, a resume and an altered log, and prints each command with its output: npm run demo
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
/** Questions that the model answers before the crash. On a busy machine, the run would otherwise end before it is killed. */
const questionsBeforeCrash = 2400;
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

const startedAt = Date.now();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);

printTitle('1', `A run of ${entries} WordNet entries: entries → question → answer → short / long`);
const run = startCommand(['run', pipeline, '--param', `limit=${entries}`, '--seed', '42'], {
  LOCAL_MODEL_QUESTIONS: String(questionsBeforeCrash),
});
const runId = await readFirstLine(run);
print(`The run is ${runId}. The commands below run in other processes.`);

printTitle('2', 'During the run: its progress, a preview of its dataset, and an export');
await waitUntil(() => readShare('answer'), 0.2);
showCommand(['status']);
showCommand(['distiset']);
showCommand(['distiset', '--out', 'early']);
const early = readExport('early');
print(`Exported as of position ${early.position}. The run continues.`);

printTitle('3', 'A crash: kill -9 of the run');
await waitUntil(() => readShare('answer'), 0.4);
const killedAt = Date.now();
if (run.pid) process.kill(-run.pid, 'SIGKILL');
await sleep(300);
showCommand(['status']);

printTitle('4', 'Resume: what the log held, and which questions are asked again');
const askedBefore = countAsked();
// Exit code 3: some rows were rejected, as the local model does in every run.
if (showCommand(['resume', '--json']) !== 3) throw new Error('the killed run was not resumed to its end');
const repeated = findRepeatedQuestions();
print(`${askedBefore} questions had been asked before the kill. ${repeated.count} of them were already answered and were asked again.`);
if (repeated.count > 0) print(`The oldest of their answers came ${repeated.oldestMs} ms before the kill.`);
print('Answers are recorded once a second, so only those of the last second can be paid for twice.');

printTitle('5', 'The whole dataset, the lost rows, and the export of (2) again');
showCommand(['distiset', '--out', 'final']);
showCommand(['errors']);
showCommand(['distiset', '--at', String(early.position), '--out', 'early-again']);
const isSame = early.hash === readExport('early-again').hash;
print(`Files of the export in (2): SHA-256 ${early.hash}`);
print(`the same position, now:     SHA-256 ${readExport('early-again').hash}  ${isSame ? 'identical' : 'DIFFERENT'}`);
if (!isSame) process.exit(1);

printTitle('6', 'Verify the log, then change one event of a copy and verify again');
showCommand(['verify']);
const copy = path.join(folder, 'copy');
runCommand(['db', 'stop'], folder);
mkdirSync(copy);
cpSync(path.join(folder, '.distilog'), path.join(copy, '.distilog'), { recursive: true });
const altered = await alterOneEvent();
print(`In a copy of the store, its owner disables all triggers and changes one value at position ${altered}.`);
showCommand(['verify'], copy);
runCommand(['db', 'stop'], copy);

print('');
print(
  `The demo took ${((Date.now() - startedAt) / 1000).toFixed(0)} s. Its files are in ${path.relative(process.cwd(), folder) || '.'}. The datasets are early, early-again and final. To go on, run in that folder:`,
);
for (const command of ['log --type BatchAbandoned', 'distiset --at 5s --format jsonl --out lines', 'status --at 100']) {
  console.log(`  npx node ../dist/src/cli/bin.js ${command}`);
}

function printTitle(number: string, text: string): void {
  console.log(`\n${colour ? '\u001b[1m' : ''}(${number}) ${text}${colour ? '\u001b[0m' : ''}\n`);
}

function print(text: string): void {
  console.log(text);
}

/** Starts a command in the background, in its own process group, so that a kill ends its child processes too. */
function startCommand(args: readonly string[], variables: Readonly<Record<string, string>>): ChildProcess {
  console.log(`$ distilog ${args.join(' ').replace(pipeline, 'examples/dictionary.ts')}`);
  return spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...environment, ...variables },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Prints a command, runs it, and prints its output. Returns its exit code. */
function showCommand(args: readonly string[], cwd = folder): number | null {
  console.log(`$ distilog ${args.join(' ')}`);
  const { output, exitCode } = execute(args, cwd);
  console.log(output);
  return exitCode;
}

function runCommand(args: readonly string[], cwd: string): string {
  return execute(args, cwd).output;
}

function execute(args: readonly string[], cwd: string): { readonly output: string; readonly exitCode: number | null } {
  // A store is used without asking only where it was created. This variable accepts the copy of step (6).
  const env = { ...environment, DISTILOG_TRUST_STORE: cwd };
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...args], { cwd, env, encoding: 'utf8' });
  return { output: `${stdout}${stderr}`, exitCode: status };
}

function readFirstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) =>
      reject(new Error(`the run ended with exit code ${code} before it printed its id. Run npm run build, then npm run demo`)),
    );
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n')[0] as string);
    });
  });
}

interface StepShare {
  readonly steps: readonly { readonly name: string; readonly rows: { readonly in: number } }[];
}

/** Returns the share of the entries that a step has read, from 0 to 1. */
function readShare(step: string): number {
  const { steps } = JSON.parse(runCommand(['status', '--json'], folder)) as StepShare;
  return (steps.find(({ name }) => name === step)?.rows.in ?? 0) / entries;
}

async function waitUntil(measure: () => number, minimum: number): Promise<void> {
  while (measure() < minimum) await sleep(50);
}

/** Returns the position of an export, and one hash over all of its files. */
function readExport(name: string): { readonly position: number; readonly hash: string } {
  const { asOf } = JSON.parse(readFileSync(path.join(folder, name, 'distilog.json'), 'utf8')) as { asOf: { position: number } };
  const hash = createHash('sha256');
  for (const file of readdirSync(path.join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort())
    hash.update(readFileSync(file));
  return { position: asOf.position, hash: hash.digest('hex') };
}

/** A line that the local model writes when it gets a question and when it answers. */
interface LedgerEntry {
  readonly what: 'asked' | 'answered';
  readonly key: string;
  readonly at: number;
}

function readLedger(): readonly LedgerEntry[] {
  return readFileSync(ledger, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LedgerEntry);
}

/** Returns the number of questions that the model got. */
function countAsked(): number {
  return new Set(readLedger().map(({ key }) => key)).size;
}

/** Finds the questions that were answered before the kill and asked again after it. `oldestMs` is the age of the oldest answer at the kill. */
function findRepeatedQuestions(): { readonly count: number; readonly oldestMs: number } {
  const answered = new Map<string, number>();
  let count = 0;
  let oldestMs = 0;
  for (const { what, key, at } of readLedger()) {
    if (what === 'answered' && at <= killedAt) answered.set(key, at);
    const answeredAt = answered.get(key);
    if (what !== 'asked' || at <= killedAt || answeredAt === undefined) continue;
    count++;
    oldestMs = Math.max(oldestMs, killedAt - answeredAt);
  }
  return { count, oldestMs };
}

/** Changes one event with the owner's login, as an attacker who has its password could. Returns the position. */
async function alterOneEvent(): Promise<number> {
  const url = runCommand(['db', 'url', '--admin'], copy).trim();
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
