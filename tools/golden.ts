// Makes the golden logs of the version that is about to be released, in test/golden/VERSION, from runs on a real PostgreSQL:
//
//   node --conditions=distilog-source tools/golden.ts 0.1.0
//
// Once the version is out, its logs are never made again. Where a projection has a new version, the states that those logs fold to by now are noted by
//
//   node --conditions=distilog-source tools/golden.ts 0.1.0 --states
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { resumePipeline, retryPipeline, startPipeline } from '#engine';
import { assert } from '#kit/assert';
import { codeOf } from '#kit/fault';
import { canonicalJson } from '#kit/json';
import { appendSideEvent, runLogId, sideLogId, type Store } from '#log';
import { plan } from '#pipeline';
import { migrate, openEmbeddedStore, openPostgresStore, stopEmbeddedStore } from '#postgres';
import { useOwnState } from '../test/own-state.ts';
import { catalogue, type RecordedEvent } from '#schema';
import { everyOperator, failing, type Outside } from '../test/golden/0.1.0/pipelines.ts';
import { expectationOf, exportedRows } from '../test/golden/expectation.ts';
import {
  expectedOf,
  goldenFile,
  goldenLog,
  goldenText,
  type Expected,
  type GoldenLog,
  type LogLines,
  type StoredChunk,
} from '../test/golden/golden-log.ts';
import { restoreInMemory } from '../test/golden/restore.ts';

useOwnState();

const { values, positionals } = parseArgs({ allowPositionals: true, options: { states: { type: 'boolean', default: false } } });
const [version] = positionals;
if (!version) {
  console.error('name the version: node --conditions=distilog-source tools/golden.ts VERSION [--states]');
  process.exit(2);
}

const actor = { user: 'ada', host: 'example', pid: 1 };
const writer = 'ada@example:1';
const every = (outside: Outside) => plan(everyOperator(outside), { params: { items: 24 } });
const stricken: Outside = { isMended: false, slowMs: 1_500 };
const mended: Outside = { isMended: true, slowMs: 0 };

if (values.states) await noteStates(version);
else await make(version);

/** Runs the pipelines and writes their logs, with what must be computed of them. */
async function make(version: string): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-golden-'));
  fs.chmodSync(folder, 0o755);
  const server = await openEmbeddedStore(folder);
  const owner = () => ({ ...server.owner() });
  try {
    await migrate(owner);
    const store = await openPostgresStore(owner);
    const { lostAt, finishedAt } = await finish(store, 'finished');
    await cancel(store, 'cancelled');
    const logs = { finished: await read(store, owner, 'finished'), cancelled: await read(store, owner, 'cancelled') };
    refuseIncomplete(Object.values(logs));
    const expected: Record<string, Expected> = {};
    for (const [name, golden] of Object.entries(logs)) {
      const text = goldenText(golden);
      for (const mark of [`@${os.hostname()}:`, `"${os.hostname()}\\"`, fileURLToPath(new URL('..', import.meta.url))])
        assert(!text.includes(mark), `${name} tells of the machine that it was made on: ${mark}`);
      fs.mkdirSync(goldenFile(version, ''), { recursive: true });
      fs.writeFileSync(goldenFile(version, `${name}.jsonl`), text);
      expected[name] = await expectationOf(await restoreInMemory(golden), golden.runId);
      console.log(`${name}: ${golden.logs[0]?.head.position} events, ${Math.ceil(text.length / 1024)} KB`);
    }
    const resumed = await exportedRows(store, 'finished', finishedAt);
    writeExpected(version, { ...expected, finished: { ...expected['finished'], interrupted: { at: lostAt, resumed } } as Expected });
    await store.close();
  } finally {
    server.close();
    await stopEmbeddedStore(folder, { force: true });
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A run that is paused and resumed, taken over from a driver that lives on, finished, exported, and tried again. */
async function finish(store: Store, runId: string): Promise<{ readonly lostAt: number; readonly finishedAt: number }> {
  const again = { runId, actor, seize: false, acceptedChanges: [], concurrency: {}, skip: [] };
  const begun = Promise.withResolvers<void>();
  const onRecorded = (events: readonly RecordedEvent[]) => {
    if (events.some((event) => event.type === 'BatchSucceeded' && event.step === 'scored')) begun.resolve();
  };
  const run = await startPipeline(store, every(stricken), { runId, seed: 7, actor, onRecorded });
  const pausing = run.drive();
  await begun.promise;
  await appendSideEvent(store.log, runId, { type: 'PauseRequested', data: { actor, message: 'a look at the first rows' } }, writer);
  assert((await pausing).rest === 'paused', 'the run is paused');

  const progressed = Promise.withResolvers<void>();
  const resumed = await resumePipeline(store, every(stricken), {
    ...again,
    onRecorded: (events) => {
      if (events.some(({ type, data }) => type === 'BatchProgressed' && data.rows > 0)) progressed.resolve();
    },
  });
  const losing = resumed.drive().catch(codeOf);
  const isTooLate = await Promise.race([progressed.promise.then(() => false), losing.then(() => true)]);
  assert(!isTooLate, 'a slow batch tells of its progress before the run is over: try again');
  const last = await resumePipeline(store, every(stricken), { ...again, seize: true });
  const { position, type } = (await Array.fromAsync(store.log.read(runId, { types: ['RunResumed'] }))).flat().at(-1) ?? {};
  assert(position && type, 'the takeover is in the log');
  assert((await losing) === 'fenced', 'the driver before has lost the run');
  const finished = await last.drive();
  assert(finished.rest === 'partial', 'some rows are rejected');

  const asOf = await store.log.asOf(runId, finished.position);
  assert(asOf, 'the end is there');
  const data = { actor, asOf, directory: 'dataset', format: 'jsonl', configs: [] };
  await appendSideEvent(store.log, runId, { type: 'DistisetWritten', data }, writer);
  const retried = await retryPipeline(store, every(mended), { runId, actor, codes: ['unlucky'], acceptedChanges: [], concurrency: {} });
  await retried.drive();
  return { lostAt: position - 1, finishedAt: finished.position };
}

/** A run with a step that failed, cancelled while another goes on. */
async function cancel(store: Store, runId: string): Promise<void> {
  const failed = Promise.withResolvers<void>();
  const onRecorded = (events: readonly RecordedEvent[]) => {
    if (events.some(({ type }) => type === 'StepFailed')) failed.resolve();
  };
  const run = await startPipeline(store, plan(failing({ ...stricken, slowMs: 5_000 })), { runId, seed: 8, actor, onRecorded });
  const driving = run.drive();
  await failed.promise;
  await appendSideEvent(store.log, runId, { type: 'CancelRequested', data: { actor, message: 'not this one' } }, writer);
  assert((await driving).rest === 'cancelled', 'the run is cancelled');
}

/** A run's logs and chunks as they are stored. */
async function read(store: Store, owner: () => pg.ClientConfig, runId: string): Promise<GoldenLog> {
  const logs = await Promise.all([runLogId(runId), sideLogId(runId)].map((logId) => readLog(store, logId)));
  const client = new pg.Client(owner());
  await client.connect();
  const { rows } = await client.query<StoredChunk>(
    `select encode(sha256, 'hex') as sha256, codec, length::int, translate(encode(body, 'base64'), E'\n', '') as base64
       from distilog.chunks where sha256 in (select unnest(chunks) from distilog.events where log_id like $1 || '%') order by sha256`,
    [runId],
  );
  await client.end();
  return { runId, logs, chunks: rows };
}

async function readLog({ log }: Store, logId: string): Promise<LogLines> {
  const head = await log.head(logId);
  assert(head, `there is a log ${logId}`);
  const range = { from: 1, to: head.position };
  const commits = (await Array.fromAsync(log.commits(logId, range))).flat();
  return { head, commits, events: (await Array.fromAsync(log.storedEvents(logId, range))).flat() };
}

/** Golden logs that lack a type of event, or a codec, would say nothing about it. */
function refuseIncomplete(logs: readonly GoldenLog[]): void {
  const types = new Set(logs.flatMap((golden) => golden.logs.flatMap(({ events }) => events.map(({ type }) => type))));
  const missing = Object.keys(catalogue).filter((type) => !types.has(type));
  assert(missing.length === 0, `no golden log has ${missing.join(', ')}`);
  const codecs = new Set(logs.flatMap(({ chunks }) => chunks.map(({ codec }) => codec)));
  assert(codecs.has('none') && codecs.has('zstd'), 'golden logs have chunks of each codec');
}

/** Notes what a version's logs fold to by now. Hashes of logs and rows must be what they were. */
async function noteStates(version: string): Promise<void> {
  const noted: Record<string, Expected> = {};
  for (const [name, before] of Object.entries(expectedOf(version))) {
    const golden = goldenLog(version, name);
    const now = await expectationOf(await restoreInMemory(golden), golden.runId);
    const isSame = canonicalJson([now.head, now.rows]) === canonicalJson([before.head, before.rows]);
    assert(isSame, `${name} has another head or other rows than before: this version reads it wrongly`);
    noted[name] = { ...before, folds: now.folds };
  }
  writeExpected(version, noted);
}

function writeExpected(version: string, expected: Readonly<Record<string, Expected>>): void {
  fs.writeFileSync(goldenFile(version, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
}
