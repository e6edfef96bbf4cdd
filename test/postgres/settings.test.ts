import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { actor } from '../fixtures/actor.ts';
import { retryPipeline, startPipeline } from '../../src/engine/index.ts';
import { newId } from '../../src/kit/ids.ts';
import { sha256 } from '../../src/kit/sha256.ts';
import { appendSideEvent, encodeEvent, resolveAsOf, sideLogId, verify, type DriverAppendRequest, type Store } from '../../src/log/index.ts';
import { migrate, openPostgresStore } from '../../src/postgres/index.ts';
import { clientConfig } from '../../src/postgres/connection.ts';
import { callAppend } from '../../src/postgres/statements.ts';
import { exportedRows, type Rows } from '../golden/expectation.ts';
import { numbersPlan, started } from './runs.ts';
import { testDatabase, type TestDatabase } from './server.ts';
import { inFront, meaningfulSettings, type Setting } from './settings.ts';

const database = await testDatabase();
await database.sql(inFront);
// The settings of PL/pgSQL are known once it is loaded.
const groups = await meaningfulSettings(async (text) => {
  const results = (await database.sql(`load 'plpgsql'; ${text}`)) as unknown as readonly pg.QueryResult[];
  return results.at(-1) as pg.QueryResult;
});

/** Starts a run, drives it, writes to its side log, takes it over for a new pass and reads an earlier position. Verifies its logs, then returns its rows. */
async function everything(database: TestDatabase, store: Store): Promise<{ readonly rows: Rows; readonly half: number }> {
  const planned = numbersPlan(10);
  const run = await startPipeline(store, planned, { seed: 1 });
  const { position } = await run.drive();
  await appendSideEvent(store.log, run.runId, { type: 'PauseRequested', data: { actor, message: 'é 🐘' } }, 'u@h:1');
  const again = await retryPipeline(store, planned, { runId: run.runId, acceptedChanges: [], concurrency: {} });
  const end = await again.drive();
  for (const logId of [run.runId, sideLogId(run.runId)]) expect(await verify(store, logId)).toMatchObject({ ok: true });
  const middle = await store.log.asOf(run.runId, position);
  const asOf = await resolveAsOf(store.log, run.runId, { kind: 'instant', instant: Date.parse(middle?.recordedAt ?? '') * 1_000 + 999 });
  expect(asOf.position).toBeGreaterThanOrEqual(position);
  await calledBare(database, store);
  return { rows: await exportedRows(store, run.runId, end.position), half: position };
}

/**
 * Calls every function that writes, each on its own connection without settings, because what a function stores must depend on the function alone.
 * A connection keeps a function as it first parsed it, which may have been inside another function that has settings.
 */
async function calledBare({ app }: TestDatabase, store: Store): Promise<void> {
  const logId = newId();
  const bytes = Buffer.from('rows of a chunk');
  const chunk = sha256(bytes);
  const brings = [{ sha256: chunk, codec: 'none', length: bytes.length, body: bytes }];
  let head = { position: 0, hash: '', epoch: 1 };
  const call = async (name: 'create_run' | 'append' | 'take_over', changes: Partial<DriverAppendRequest> = {}) => {
    const events = [1, 2].map((batch) => ({
      ...encodeEvent(started(head.position + batch)),
      chunks: name === 'append' ? [chunk, chunk] : [],
    }));
    const request = { logId, epoch: head.epoch, appendId: newId(), expectedHash: head.hash, writer: 'é', events };
    const result = await bare(app, (client) => callAppend(client, name, { ...request, ...changes }));
    if (!result.ok) throw new Error(result.message);
    return result;
  };
  const driven = async (...given: Parameters<typeof call>) => {
    const { last, hash, epoch } = await call(...given);
    head = { position: last, hash, epoch };
  };
  await driven('create_run', { expectedHash: null });
  await driven('append', { brings });
  await driven('take_over');
  await driven('append');
  await call('append', { logId: sideLogId(logId), epoch: null, expectedHash: null });
  const early = `select distilog.position_at($1, '2000-01-01T00:00:00.000001Z') as position`;
  expect((await bare(app, (client) => client.query(early, [logId]))).rows).toEqual([{ position: 0 }]);
  for (const log of [logId, sideLogId(logId)]) expect(await verify(store, log)).toMatchObject({ ok: true, events: log === logId ? 8 : 2 });
}

async function bare<T>(app: TestDatabase['app'], work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(clientConfig(app, 'bare'));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs `work` on a store whose sessions begin with these settings. */
async function under<T>(on: TestDatabase, given: readonly Setting[], work: (on: TestDatabase, store: Store) => Promise<T>): Promise<T> {
  const { sql, app } = on;
  const name = app().database;
  // An empty path is quoted as an empty name. A non-empty path is a list of names and stays unquoted.
  const quoted = ({ name: setting, value }: Setting) =>
    setting === 'search_path' && value !== '' ? value : `'${value.replaceAll("'", "''")}'`;
  for (const setting of given) await sql(`alter database ${name} set ${setting.name} = ${quoted(setting)}`);
  try {
    const store = await openPostgresStore(app);
    try {
      return await work(on, store);
    } finally {
      await store.close();
    }
  } finally {
    await sql(`alter database ${name} reset all`);
  }
}

const usual = await under(database, [], everything);

describe('a run stores, verifies and exports the same rows on a database whose sessions have', () => {
  it.each(groups)('$title', async ({ settings }) => {
    expect(await under(database, settings, everything)).toEqual(usual);
  });

  it('all of these settings at once, also while it is migrated', async () => {
    const fresh = await testDatabase({ isMigrated: false });
    await fresh.sql(inFront);
    // One value each; the last of a setting's.
    const settings = groups.flatMap((group) => group.settings);
    const all = [...new Map(settings.map((setting) => [setting.name, setting])).values()].map((setting) =>
      setting.name === 'search_path' ? { ...setting, value: 'in_front, pg_catalog' } : setting,
    );
    const name = fresh.app().database;
    for (const { name: setting, value } of all)
      await fresh.sql(`alter database ${name} set ${setting} = ${setting === 'search_path' ? value : `'${value}'`}`);
    await migrate(fresh.owner);
    expect(await everything(fresh, await fresh.store())).toEqual(usual);
  });
});

describe('every function of the schema', () => {
  it('was parsed when it was created, or sets its own search path and its own rule for literals', async () => {
    const { rows } = await database.sql(
      `select proname as name from pg_proc where pronamespace = 'distilog'::regnamespace and prosqlbody is null
          and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp', 'standard_conforming_strings=on'], false)`,
    );
    expect(rows).toEqual([]);
  });

  it('contains no literal with a backslash and none of a time', async () => {
    const { rows } = await database.sql(
      `select proname as name from pg_proc where pronamespace = 'distilog'::regnamespace
          and regexp_replace(prosrc, '--[^\\n]*', '', 'g') ~* '\\\\|(interval|timestamptz|timestamp|date|time) *'''`,
    );
    expect(rows).toEqual([]);
  });
});
