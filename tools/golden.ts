// Makes the golden logs of the next version in test/golden/VERSION, from runs on a real PostgreSQL:
//
//   node tools/golden.ts 0.2.0
//
// The logs of a released version are never made again. After a projection got a new version, this records the states that the logs now fold to:
//
//   node tools/golden.ts 0.1.0 --states
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { resumePipeline, retryPipeline, startPipeline } from '../src/engine/index.ts';
import { assert } from '../src/kit/assert.ts';
import { codeOf } from '../src/kit/fault.ts';
import { canonicalJson } from '../src/kit/json.ts';
import { createDistiset, writeDistiset, type WriteOptions } from '../src/distiset/index.ts';
import { appendSideEvent, rebuild, resolveAsOf, runLogId, sideLogId, type Store } from '../src/log/index.ts';
import { plan } from '../src/pipeline/index.ts';
import { projections } from '../projections/index.ts';
import { migrate, openEmbeddedStore, openPostgresStore, stopEmbeddedStore } from '../src/postgres/index.ts';
import { useOwnState } from '../test/own-state.ts';
import { catalogue, type RecordedEvent } from '../schema/index.ts';
import type * as Pipelines from '../test/golden/0.2.0/pipelines.ts';
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

type Format = NonNullable<WriteOptions['format']>;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { states: { type: 'boolean', default: false } } });
const [version] = positionals;
if (!version) {
  console.error('Name the version: node tools/golden.ts VERSION [--states]');
  process.exit(2);
}

const { everyOperator, failing, asking } = (await import(`../test/golden/${version}/pipelines.ts`)) as typeof Pipelines;
const actor = { user: 'ada', host: 'example', pid: 1 };
const writer = 'ada@example:1';
const planEvery = (outside: Pipelines.Outside) => plan(everyOperator(outside), { params: { items: 24 } });
const brokenOutside: Pipelines.Outside = { isMended: false, slowMs: 1_500 };
const repairedOutside: Pipelines.Outside = { isMended: true, slowMs: 0 };

if (values.states) await recordStates(version);
else await makeLogs(version);

/** Runs the pipelines and writes their logs, with the expected states and rows. */
async function makeLogs(version: string): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-golden-'));
  fs.chmodSync(folder, 0o755);
  const server = await openEmbeddedStore(folder);
  const owner = () => ({ ...server.owner() });
  try {
    await migrate(owner);
    const store = await openPostgresStore(owner);
    const { lostAt, finishedAt } = await makeFinishedRun(store, 'finished');
    await makeCancelledRun(store, 'cancelled');
    await makeModelRun(store, 'asked');
    const names = ['finished', 'cancelled', 'asked'];
    const logs = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readRun(store, owner, name)] as const)));
    requireComplete(Object.values(logs));
    const expected: Record<string, Expected> = {};
    for (const [name, golden] of Object.entries(logs)) {
      const text = goldenText(golden);
      for (const mark of [`@${os.hostname()}:`, `"${os.hostname()}\\"`, fileURLToPath(new URL('..', import.meta.url))])
        assert(!text.includes(mark), `${name} contains a name of this machine: ${mark}`);
      fs.mkdirSync(goldenFile(version, ''), { recursive: true });
      fs.writeFileSync(goldenFile(version, `${name}.jsonl`), text);
      const restored = await restoreInMemory(golden);
      expected[name] = await expectationOf(restored, golden.runId);
      for (const format of ['csv', 'jsonl', 'parquet'] as const) await exportTo(restored, golden.runId, format, version);
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

/** Makes a run that is taken over from a live driver, paused, resumed, finished, exported and retried. */
async function makeFinishedRun(store: Store, runId: string): Promise<{ readonly lostAt: number; readonly finishedAt: number }> {
  const resumeOptions = { runId, actor, seize: false, acceptedChanges: [], concurrency: {}, skip: [] };
  const progressed = Promise.withResolvers<void>();
  const run = await startPipeline(store, planEvery(brokenOutside), {
    runId,
    seed: 7,
    actor,
    onRecorded: (events) => {
      if (events.some(({ type, data }) => type === 'BatchProgressed' && data.rows > 0)) progressed.resolve();
    },
  });
  await recordExport(store, runId, 1);
  const losing = run.drive().catch(codeOf);
  const isTooLate = await Promise.race([progressed.promise.then(() => false), losing.then(() => true)]);
  assert(!isTooLate, 'the run ended before a slow batch recorded its progress: try again');

  const begun = Promise.withResolvers<void>();
  const onRecorded = (events: readonly RecordedEvent[]) => {
    if (events.some((event) => event.type === 'BatchStarted' && event.step === 'asked')) begun.resolve();
  };
  const seizing = await resumePipeline(store, planEvery(brokenOutside), { ...resumeOptions, seize: true, onRecorded });
  const { position, type } = (await Array.fromAsync(store.log.read(runId, { types: ['RunResumed'] }))).flat().at(-1) ?? {};
  assert(position && type, 'the takeover is in the log');
  assert((await losing) === 'fenced', 'the previous driver has lost the run');
  const pausing = seizing.drive();
  await begun.promise;
  await appendSideEvent(store.log, runId, { type: 'PauseRequested', data: { actor, message: 'a look at the first rows' } }, writer);
  assert((await pausing).rest === 'paused', 'the run is paused');

  const last = await resumePipeline(store, planEvery(brokenOutside), resumeOptions);
  const finished = await last.drive();
  assert(finished.rest === 'partial', 'some rows are rejected');

  await recordExport(store, runId, finished.position);
  const retried = await retryPipeline(store, planEvery(repairedOutside), {
    runId,
    actor,
    codes: ['unlucky'],
    acceptedChanges: [],
    concurrency: {},
  });
  await retried.drive();
  return { lostAt: position - 1, finishedAt: finished.position };
}

/** Records an export as of a position in the side log. */
async function recordExport(store: Store, runId: string, position: number): Promise<void> {
  const asOf = await store.log.asOf(runId, position);
  assert(asOf, 'the position exists');
  const data = { actor, asOf, directory: 'dataset', format: 'jsonl', configs: [] };
  await appendSideEvent(store.log, runId, { type: 'DistisetWritten', data }, writer);
}

/** Makes a run with a failed step that is cancelled while another step runs. */
async function makeCancelledRun(store: Store, runId: string): Promise<void> {
  const failed = Promise.withResolvers<void>();
  const onRecorded = (events: readonly RecordedEvent[]) => {
    if (events.some(({ type }) => type === 'StepFailed')) failed.resolve();
  };
  const run = await startPipeline(store, plan(failing({ ...brokenOutside, slowMs: 5_000 })), { runId, seed: 8, actor, onRecorded });
  const driving = run.drive();
  await failed.promise;
  await appendSideEvent(store.log, runId, { type: 'CancelRequested', data: { actor, message: 'not this one' } }, writer);
  assert((await driving).rest === 'cancelled', 'the run is cancelled');
}

/** Exports a run as of its head into the version's folder. */
async function exportTo(store: Store, runId: string, format: Format, version: string): Promise<void> {
  const directory = goldenFile(version, `exports/${runId}-${format}`);
  fs.rmSync(directory, { recursive: true, force: true });
  fs.mkdirSync(path.dirname(directory), { recursive: true });
  const distiset = await createDistiset(store, runId, { asOf: await resolveAsOf(store.log, runId, { kind: 'head' }) });
  await writeDistiset(distiset, { directory, format, distilog: version });
}

/** Makes a run whose steps call models. */
async function makeModelRun(store: Store, runId: string): Promise<void> {
  const run = await startPipeline(store, plan(asking()), { runId, seed: 9, actor });
  const { rest } = await run.drive();
  assert(rest === 'partial', 'one row gets no object from its model');
  // The log is too short to have snapshots by itself.
  await rebuild(store, projections, runId, { writer, every: 40 });
}

/** Reads a run's logs and chunks as they are stored. */
async function readRun(store: Store, owner: () => pg.ClientConfig, runId: string): Promise<GoldenLog> {
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

/** Checks that the golden logs contain every type of event and every codec. */
function requireComplete(logs: readonly GoldenLog[]): void {
  const types = new Set(logs.flatMap((golden) => golden.logs.flatMap(({ events }) => events.map(({ type }) => type))));
  const missing = Object.keys(catalogue).filter((type) => !types.has(type));
  assert(missing.length === 0, `no golden log has ${missing.join(', ')}`);
  const codecs = new Set(logs.flatMap(({ chunks }) => chunks.map(({ codec }) => codec)));
  assert(codecs.has('none') && codecs.has('zstd'), 'golden logs have chunks of each codec');
}

/** Records the states that a version's logs now fold to. Hashes of logs and rows must not have changed. */
async function recordStates(version: string): Promise<void> {
  const expected: Record<string, Expected> = {};
  for (const [name, before] of Object.entries(expectedOf(version))) {
    const golden = goldenLog(version, name);
    const now = await expectationOf(await restoreInMemory(golden), golden.runId);
    const isSame = canonicalJson([now.head, now.rows]) === canonicalJson([before.head, before.rows]);
    assert(isSame, `${name} has another head or other rows than before: this version reads it wrongly`);
    expected[name] = { ...before, folds: now.folds };
  }
  writeExpected(version, expected);
}

function writeExpected(version: string, expected: Readonly<Record<string, Expected>>): void {
  fs.writeFileSync(goldenFile(version, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
}
