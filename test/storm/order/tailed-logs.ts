import { createRequire } from 'node:module';
import pg from 'pg';
import { actor } from '../../fixtures/actor.ts';
import { hasCode } from '../../../src/kit/fault.ts';
import { newId } from '../../../src/kit/ids.ts';
import { pause } from '../../../src/kit/pause.ts';
import { encodeEvent, sideLogId, type AppendRequest } from '../../../src/log/index.ts';
import { openPostgresStore, type Connect } from '../../../src/postgres/index.ts';
import { callAppend } from '../../../src/postgres/statements.ts';
import { finishedRun } from '../../postgres/runs.ts';
import type { TailedLog } from './tail.ts';

/** The application name of writers' connections, by which they are killed. */
export const writerName = 'distilog order';

/** Opens our log. It is a side log, because any number of processes may write to one. A reader's checkpoint is the last position. */
export async function ownLog(connect: Connect): Promise<TailedLog & { readonly logId: string }> {
  const store = await openPostgresStore(connect);
  const logId = sideLogId(await finishedRun(store, 10));
  const request = (ids: readonly string[]): AppendRequest => ({
    logId,
    epoch: null,
    expectedHash: null,
    appendId: newId(),
    writer: 'w',
    events: ids.map((message) => encodeEvent({ type: 'PauseRequested', data: { actor, message } })),
  });
  return {
    logId,
    openWriter: async () => {
      const client = new pg.Client({ ...connect(), application_name: writerName });
      client.on('error', () => undefined);
      await client.connect();
      const append = async (ids: readonly string[]): Promise<void> => {
        const { ok } = await callAppend(client, 'append', request(ids));
        if (!ok) throw new Error('an append to a side log was refused');
      };
      return {
        append,
        giveUp: async (ids) => {
          await client.query('begin');
          await append(ids);
          await client.query('rollback');
        },
        close: () => client.end(),
      };
    },
    readAfter: async (checkpoint) => {
      for await (const page of store.log.read(logId, { from: Number(checkpoint) + 1 })) {
        const last = page.at(-1)?.position ?? 0;
        const gap = page.find(({ position }, index) => position !== Number(checkpoint) + 1 + index);
        if (gap) throw new Error(`position ${gap.position} comes too early after checkpoint ${checkpoint}`);
        return { ids: page.map((event) => (event.type === 'PauseRequested' ? event.data.message : '')), checkpoint: BigInt(last) };
      }
      return { ids: [], checkpoint };
    },
    close: () => store.close(),
  };
}

/** The part of Emmett that this test uses. */
interface Emmett {
  getPostgreSQLEventStore(connectionString: string): {
    appendToStream(
      stream: string,
      events: readonly { readonly type: string; readonly data: { readonly id: string } }[],
      options?: { readonly expectedStreamVersion: bigint },
    ): Promise<unknown>;
    close(): Promise<void>;
    readonly schema: { migrate(): Promise<unknown> };
  };
  readMessagesBatch(
    execute: { query(sql: string): Promise<pg.QueryResult> },
    options: { readonly after: bigint; readonly batchSize: number },
  ): Promise<{ readonly messages: readonly { readonly data: { readonly id: string } }[]; readonly currentGlobalPosition: bigint }>;
}

/** Loads the control from its own folder (npm ci --prefix test/storm/order/control). Returns null if it is not installed. */
export async function findEmmett(): Promise<Emmett | null> {
  const { resolve } = createRequire(new URL('control/package.json', import.meta.url));
  try {
    return (await import(resolve('@event-driven-io/emmett-postgresql'))) as Emmett;
  } catch (error) {
    if (hasCode(error, 'MODULE_NOT_FOUND')) return null;
    throw error;
  }
}

/**
 * Opens a log of Emmett 0.42, the control. Its messages get sequence numbers before the commit, and a reader's checkpoint is such a number. A message
 * that commits later with a lower number is never read. This attack must find that.
 */
export async function emmettLog({ getPostgreSQLEventStore, readMessagesBatch }: Emmett, url: string): Promise<TailedLog> {
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  const reader = new pg.Client({ connectionString: url });
  await reader.connect();
  let writers = 0;
  return {
    openWriter: async () => {
      const stream = `writer-${writers++}`;
      const eventsOf = (ids: readonly string[]) => ids.map((id) => ({ type: 'Written', data: { id } }));
      return {
        append: async (ids) => {
          await store.appendToStream(stream, eventsOf(ids));
        },
        giveUp: async (ids) => {
          // Refused for its version, and rolled back.
          await store.appendToStream(stream, eventsOf(ids), { expectedStreamVersion: 999_999n }).catch(() => undefined);
        },
        close: async () => undefined,
      };
    },
    readAfter: async (checkpoint) => {
      const { messages, currentGlobalPosition } = await readMessagesBatch(
        { query: (sql) => reader.query(sql) },
        { after: checkpoint, batchSize: 100 },
      );
      return {
        ids: messages.map(({ data }) => data.id),
        checkpoint: messages.length > 0 ? currentGlobalPosition : checkpoint,
      };
    },
    close: async () => {
      await store.close();
      await onlyOneLeft(reader);
      await reader.end();
    },
  };
}

/**
 * Waits until a database has no other connection. A pool of `pg` reports its end before its connections end, and has no error handler by then. If
 * their database were dropped or their server stopped, the unhandled error would end this process.
 */
async function onlyOneLeft(client: pg.Client): Promise<void> {
  const others =
    "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
  while ((await client.query(others)).rowCount !== 0) await pause(5);
}
