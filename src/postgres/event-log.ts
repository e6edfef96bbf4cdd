import { sql, type Kysely } from 'kysely';
import type pg from 'pg';
import type { EventType, RecordedEvent } from '../../schema/index.ts';
import { hasCode } from '../kit/fault.ts';
import { formatInstant } from '../kit/instant.ts';
import { pause } from '../kit/pause.ts';
import {
  decodeEvent,
  type AppendRequest,
  type AppendResult,
  type Commit,
  type EncodedEvent,
  type EventLog,
  type Head,
  type StoredEvent,
} from '../log/index.ts';
import { checkServer, openClient, whereabouts, type Connect } from './connection.ts';
import type { Database } from './database.ts';
import { holders } from './driver-lock.ts';
import { openDriverSession } from './driver-session.ts';
import { isRare } from './rare.ts';
import type { Reader } from './reader.ts';
import { countRuns, selectRuns } from './run-list.ts';
import { isConnectionLost, serverFault } from './server-faults.ts';
import { refuseMissingStandby } from './standby.ts';
import { callAppend } from './statements.ts';

/** Events, commits and runs in a page. */
const pageSize = 1_000;
const runPageSize = 200;
/** How long a store may be away before an append that no driver repeats gives up. */
const patienceMs = 90_000;

const eventColumns = ['position', 'recorded_at', 'type', 'version', 'pass', 'step', 'batch', 'attempt', 'chunks', 'data'] as const;

/** Types of which there are as many events as batches, or more. */
const frequentTypes: ReadonlySet<string> = new Set<EventType>(['BatchStarted', 'BatchProgressed', 'BatchSucceeded']);

/** The log on PostgreSQL. Reads are pages, each a query of its own, so a reader never holds a snapshot of the database open. */
export function postgresLog(connect: Connect, reader: Reader): EventLog {
  const { query } = reader;
  const holdersOf = (runIds: readonly string[]) => query((database) => holders(database, runIds));
  const head = (logId: string): Promise<Head | null> =>
    query(async (database) => {
      const row = await database.selectFrom('distilog.heads').selectAll().where('log_id', '=', logId).executeTakeFirst();
      return row ? headOf(row) : null;
    });

  return {
    create: (request) => repeated(connect, 'create_run', request),
    appendSide: (request) => repeated(connect, 'append', request),
    openDriver: (runId, options = {}) => openDriverSession(connect, reader, runId, options),
    holder: async (runId) => (await holdersOf([runId])).get(runId) ?? null,
    head,

    runs: async function* ({ pageMax = runPageSize, ...selection } = {}) {
      for (let { before } = selection; ; ) {
        const page = await query((database) => selectRuns(database, { ...selection, before }, pageMax));
        if (page.length === 0) return;
        const held = await holdersOf(page.map(({ runId }) => runId));
        yield page.map((entry) => ({ ...entry, holder: held.get(entry.runId) ?? null }));
        if (page.length < pageMax) return;
        before = page.at(-1);
      }
    },
    countRuns: (selection = {}) => query((database) => countRuns(database, selection)),

    runIds: (prefix, limit) =>
      query(async (database) => {
        const rows = await database
          .selectFrom('distilog.heads')
          .select('log_id')
          .where('log_id', '>=', prefix)
          .where('log_id', '<', `${prefix}\u{10FFFF}`)
          .where('log_id', 'not like', '%/side')
          .orderBy('log_id')
          .limit(limit)
          .execute();
        return rows.map(({ log_id }) => log_id);
      }),

    read: async function* (logId, { from = 1, to, types, step } = {}) {
      const until = to ?? (await head(logId))?.position ?? 0;
      let next = from;
      while (next <= until) {
        const page = await query((database) => {
          let select = database
            .selectFrom('distilog.events')
            .select(eventColumns)
            .where('log_id', '=', logId)
            .where('position', '>=', next)
            .where('position', '<=', until);
          if (types) select = select.where('type', 'in', types);
          if (types && !types.some((type) => frequentTypes.has(type))) select = select.where(isRare);
          if (step !== undefined) select = select.where('step', '=', step);
          return select.orderBy('position').limit(pageSize).execute();
        });
        const last = page.at(-1);
        if (!last) return;
        const events = page.flatMap((row) => recorded(logId, row));
        if (events.length > 0) yield events;
        if (page.length < pageSize) return;
        next = last.position + 1;
      }
    },

    readBatch: (logId, { pass, step, batch, to = Number.MAX_SAFE_INTEGER }) =>
      query(async (database) => {
        const rows = await database
          .selectFrom('distilog.events')
          .select(eventColumns)
          .where('log_id', '=', logId)
          .where('step', '=', step)
          .where('pass', '=', pass)
          .where('batch', '=', batch)
          .where('position', '<=', to)
          .where((where) => where.or([where('type', 'in', ['BatchProgressed', 'BatchFailed']), where('type', '=', 'BatchSucceeded')]))
          .orderBy('position')
          .execute();
        return rows.flatMap((row) => recorded(logId, row));
      }),

    readSuccesses: async function* (logId, { step, fromBatch = 0, to, pageMax = pageSize }) {
      let after = { pass: 1, batch: fromBatch - 1 };
      for (;;) {
        const page = await query((database) =>
          database
            .selectFrom('distilog.events')
            .select(eventColumns)
            .where('log_id', '=', logId)
            .where('type', '=', 'BatchSucceeded')
            .where('step', '=', step)
            .where(sql<boolean>`(pass, batch) > (${after.pass}, ${after.batch})`)
            .where('batch', '>=', fromBatch)
            .where('position', '<=', to)
            .orderBy('pass')
            .orderBy('batch')
            .limit(pageMax)
            .execute(),
        );
        const successes = page.flatMap((row) => recorded(logId, row)).filter((event) => event.type === 'BatchSucceeded');
        if (successes.length > 0) yield successes;
        const last = page.at(-1);
        if (!last || page.length < pageMax) return;
        after = { pass: last.pass ?? 0, batch: last.batch ?? 0 };
      }
    },

    success: (logId, { pass, step, batch, to }) =>
      query(async (database) => {
        const row = await database
          .selectFrom('distilog.events')
          .select(eventColumns)
          .where('log_id', '=', logId)
          .where('type', '=', 'BatchSucceeded')
          .where('step', '=', step)
          .where('pass', '=', pass)
          .where('batch', '=', batch)
          .where('position', '<=', to)
          .executeTakeFirst();
        const [event] = row ? recorded(logId, row) : [];
        return event?.type === 'BatchSucceeded' ? event : null;
      }),

    unknownEvent: (logId, to) => query((database) => unknownEvent(database, logId, to)),

    positionAt: (logId, instant) =>
      query(async (database) => {
        const { rows } = await sql<{
          position: number;
        }>`select distilog.position_at(${logId}, ${formatInstant(instant)}::timestamptz) as position`.execute(database);
        return rows[0]?.position ?? 0;
      }),

    asOf: (logId, position) =>
      query(async (database) => {
        const commit = await database
          .selectFrom('distilog.commits')
          .select(['last', 'recorded_at', 'hash'])
          .where('log_id', '=', logId)
          .where('first', '<=', position)
          .orderBy('first', 'desc')
          .limit(1)
          .executeTakeFirst();
        if (!commit || commit.last < position) return null;
        return { position, recordedAt: commit.recorded_at, hash: commit.hash.toString('hex') };
      }),

    unreliableFrom: (logId) =>
      query(async (database) => {
        const row = await database
          .selectFrom('distilog.commits')
          .select(({ fn }) => fn.min('first').as('first'))
          .where('log_id', '=', logId)
          .where(sql<boolean>`recorded_at - clock > interval '1 second'`)
          .executeTakeFirst();
        return row?.first ?? null;
      }),

    lastWriter: (logId) =>
      query(async (database) => {
        const last = await database
          .selectFrom('distilog.commits')
          .select('writer')
          .where('log_id', '=', logId)
          .orderBy('first', 'desc')
          .limit(1)
          .executeTakeFirst();
        return last?.writer ?? null;
      }),

    storedEvents: async function* (logId, { from, to }) {
      for (let next = from; next <= to; ) {
        const rows = await query((database) =>
          database
            .selectFrom('distilog.events')
            .select([...eventColumns, 'leaf'])
            .where('log_id', '=', logId)
            .where('position', '>=', next)
            .where('position', '<=', to)
            .orderBy('position')
            .limit(pageSize)
            .execute(),
        );
        if (rows.length > 0) yield rows.map((row): StoredEvent => ({ ...stored(row), leaf: row.leaf.toString('hex') }));
        if (rows.length < pageSize) return;
        next = (rows.at(-1)?.position ?? to) + 1;
      }
    },

    commits: async function* (logId, { from, to }) {
      for (let next = from; next <= to; ) {
        const rows = await query((database) =>
          database
            .selectFrom('distilog.commits')
            .selectAll()
            .where('log_id', '=', logId)
            .where('first', '>=', next)
            .where('first', '<=', to)
            .orderBy('first')
            .limit(pageSize)
            .execute(),
        );
        if (rows.length > 0) {
          yield rows.map((row): Commit => {
            const { first, last, recorded_at, clock, append_id, epoch, writer, root, hash } = row;
            return {
              first,
              last,
              recordedAt: recorded_at,
              clock,
              appendId: append_id,
              epoch,
              writer,
              root: root.toString('hex'),
              hash: hash.toString('hex'),
            };
          });
        }
        if (rows.length < pageSize) return;
        next = (rows.at(-1)?.first ?? to) + 1;
      }
    },
  };
}

interface EventRow {
  readonly position: number;
  readonly recorded_at: string;
  readonly type: string;
  readonly version: number;
  readonly pass: number | null;
  readonly step: string | null;
  readonly batch: number | null;
  readonly attempt: number | null;
  readonly chunks: readonly string[];
  readonly data: string;
}

const stored = ({ recorded_at, ...row }: EventRow): EncodedEvent & { position: number; recordedAt: string } =>
  Object.assign(row, { recordedAt: recorded_at });

function recorded(logId: string, row: EventRow): readonly RecordedEvent[] {
  const { event } = decodeEvent(stored(row), logId);
  return event ? [event] : [];
}

const headOf = (row: { log_id: string; position: number; hash: Buffer; recorded_at: string; epoch: number }): Head => ({
  logId: row.log_id,
  position: row.position,
  hash: row.hash.toString('hex'),
  recordedAt: row.recorded_at,
  epoch: row.epoch,
});

/** What a later program wrote is rare by definition, see `isRare`: the first event of each rare kind tells. */
async function unknownEvent(
  database: Kysely<Database>,
  logId: string,
  to: number,
): Promise<{ readonly position: number; readonly reason: string } | null> {
  const kinds = await database
    .selectFrom('distilog.events')
    .select(['type', 'version', ({ fn }) => fn.min('position').as('position')])
    .where('log_id', '=', logId)
    .where('position', '<=', to)
    .where(isRare)
    .groupBy(['type', 'version'])
    .orderBy('position')
    .execute();
  for (const { position } of kinds) {
    const row = await database
      .selectFrom('distilog.events')
      .select(eventColumns)
      .where('log_id', '=', logId)
      .where('position', '=', position)
      .executeTakeFirst();
    const decoded = row ? decodeEvent(stored(row), logId) : null;
    if (decoded && !decoded.event) return { position, reason: decoded.reason };
  }
  return null;
}

/** An append that no driver repeats: sent again under its id, on a new connection, until its outcome is known. */
async function repeated(connect: Connect, name: 'append' | 'create_run', request: AppendRequest): Promise<AppendResult> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    let client: pg.Client | undefined;
    try {
      client = await openClient(connect, 'distilog');
      await checkServer(client);
      await refuseMissingStandby(client, whereabouts(client));
      return await callAppend(client, name, request);
    } catch (error) {
      if (client && hasCode(error, '57014') && Date.now() < giveUpAt) continue;
      const fault = client ? serverFault(error, whereabouts(client)) : serverFault(error, {});
      if (!(isConnectionLost(error) || fault.code === 'store-unreachable') || Date.now() > giveUpAt) throw fault;
    } finally {
      await client?.end().catch(() => undefined);
    }
    await pause(retryPauseMs);
  }
}

const retryPauseMs = 200;
