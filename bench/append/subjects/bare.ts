import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type pg from 'pg';
import { migrate } from '#postgres';
import { bigintArray, textArray } from '../../../src/postgres/binary-array.ts';
import { importPeer } from '../../peers.ts';
import { eventType, type OpenOptions, type Subject } from '../subject.ts';

type Pg = { readonly default: typeof pg };

/** What every event of a caller has in its columns. */
interface Columns {
  readonly logId: string;
  readonly data: string;
  readonly chunk: Buffer;
  readonly leaf: Buffer;
}

type Append = (client: pg.Client, columns: Columns, first: number, count: number) => Promise<unknown>;

const insertSql = `insert into bare select $1, n, now(), '${eventType}', 1, 1, 'doubled', n, 1, array[$2::bytea], data, $3
  from unnest($4::bigint[], $5::text[]) as e (n, data)`;

/** The least that PostgreSQL can do: one INSERT a call, into a table with our columns and indexes, without order, hashes or a driver. */
export const bareInsert: Subject = bare((client, { logId, data, chunk, leaf }, first, count) =>
  client.query({
    name: 'bare_insert',
    text: insertSql,
    values: [
      logId,
      chunk,
      leaf,
      bigintArray(Array.from({ length: count }, (_, n) => first + n)),
      textArray(Array.from({ length: count }, () => data)),
    ],
  }),
);

/** Most events in one INSERT of `bareGrouped`: as many as ours has in a flush. */
const groupMax = 500;

/** One connection that does nothing but insert: as ours, everything that queued up while the last INSERT was on its way goes in the next. */
export const bareGrouped: Subject = {
  prepare: bareInsert.prepare,
  open: async (options) => {
    const { callers, close } = await bareInsert.open({ ...options, callers: 1 });
    const [insert] = callers;
    const waiting: { readonly count: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
    let isInserting = false;
    const pump = async () => {
      isInserting = true;
      for (await Promise.resolve(); waiting.length > 0; await new Promise(setImmediate)) {
        const group = waiting.splice(0, Math.max(1, Math.floor(groupMax / (waiting[0]?.count ?? 1))));
        try {
          await insert?.(group.reduce((sum, { count }) => sum + count, 0));
          for (const { resolve } of group) resolve();
        } catch (error) {
          for (const { reject } of group) reject(error);
        }
      }
      isInserting = false;
    };
    const append = (count: number) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ count, resolve, reject });
        if (!isInserting) void pump();
      });
    return { callers: Array.from({ length: options.callers }, () => append), close };
  },
};

const copySql = 'copy bare (log_id, position, recorded_at, type, version, pass, step, batch, attempt, chunks, data, leaf) from stdin';

/** The same rows by COPY. */
export const bareCopy: Subject = bare(async (client, { logId, data, chunk, leaf }, first, count) => {
  const { from } = await importPeer<{ from(sql: string): NodeJS.WritableStream & pg.Submittable }>('pg-copy-streams');
  const row = (n: number) =>
    `${logId}\t${n}\tnow\t${eventType}\t1\t1\tdoubled\t${n}\t1\t{"\\\\\\\\x${chunk.toString('hex')}"}\t${data}\t\\\\x${leaf.toString('hex')}\n`;
  const copy = client.query(from(copySql));
  copy.end(Array.from({ length: count }, (_, n) => row(first + n)).join(''));
  await once(copy, 'finish');
});

/** Callers on a connection each, with a log each, so that nobody waits for another. */
function bare(append: Append): Subject {
  return {
    prepare: async (url) => {
      const { Client } = (await importPeer<Pg>('pg')).default;
      await migrate(() => ({ connectionString: url }));
      const client = new Client(url);
      await client.connect();
      await client.query('create table bare (like distilog.events including all)');
      await client.end();
    },
    open: async ({ url, callers, process, data }: OpenOptions) => {
      const { Client } = (await importPeer<Pg>('pg')).default;
      const clients = Array.from({ length: callers }, () => new Client(url));
      await Promise.all(clients.map((client) => client.connect()));
      return {
        callers: clients.map((client, caller) => {
          const columns = { logId: `bare-${process}-${caller}`, data, chunk: randomBytes(32), leaf: randomBytes(32) };
          let next = 1;
          return (count: number) => {
            const first = next;
            next += count;
            return append(client, columns, first, count);
          };
        }),
        close: async () => {
          for (const client of clients) await client.end();
        },
      };
    },
  };
}
