import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type pg from 'pg';
import { migrate } from '../../../src/postgres/index.ts';
import { encodeBigintArray, encodeTextArray } from '../../../src/postgres/binary-array.ts';
import { importPeer } from '../../peers.ts';
import { eventType, type OpenOptions, type Subject } from '../subject.ts';
import { groupCallers } from './grouped.ts';

type Pg = { readonly default: typeof pg };

/** Column values that all events of a caller share. */
interface Columns {
  readonly logId: string;
  readonly data: string;
  readonly chunk: Buffer;
  readonly leaf: Buffer;
}

type Append = (client: pg.Client, columns: Columns, first: number, count: number) => Promise<unknown>;

const insertSql = `insert into bare_events select $1, n, now(), '${eventType}', 1, 1, 'doubled', n, 1, array[$2::bytea], data, $3
  from unnest($4::bigint[], $5::text[]) as e (n, data)`;

/** Returns the numbers and the data of `count` events, as arrays of parameters. */
const parametersOf = (data: string, first: number, count: number): readonly Buffer[] => [
  encodeBigintArray(Array.from({ length: count }, (_, n) => first + n)),
  encodeTextArray(Array.from({ length: count }, () => data)),
];

/** The least work for PostgreSQL: one INSERT per call into a table with distilog's columns and indexes, without order, hashes or a driver. */
export const bareInsert: Subject = bare((client, { logId, data, chunk, leaf }, first, count) =>
  client.query({
    name: 'bare_insert',
    text: insertSql,
    values: [logId, chunk, leaf, ...parametersOf(data, first, count)],
  }),
);

/** The same on one connection that all callers share. */
export const bareGrouped: Subject = groupCallers(bareInsert);

const chainedSql = `with stored as (
    insert into bare_events select $1, n, now(), '${eventType}', 1, 1, 'doubled', n, 1, array[$2::bytea], data,
             distilog.leaf('${eventType}', 1, 1, 'doubled', n, 1, encode($2, 'hex'), data)
      from unnest($3::bigint[], $4::text[]) as e (n, data) returning leaf),
  moved as (
    update bare_heads set position = position + $5, hash = sha256(hash || (select string_agg(leaf, ''::bytea) from stored))
      where log_id = $1 returning position, hash)
  insert into bare_commits select $1, position - $5 + 1, position, now(), now(), position::text, 1, '', hash, hash from moved`;

/**
 * The least work for a writer whose events have an order and a hash chain. One statement inserts them with a hash of all their columns, moves the head of
 * their log, links the chain, and records the append. Nothing is checked.
 */
export const bareChained: Subject = groupCallers(
  bare((client, { logId, data, chunk }, first, count) =>
    client.query({
      name: 'bare_chained',
      text: chainedSql,
      values: [logId, chunk, ...parametersOf(data, first, count), count],
    }),
  ),
);

const copySql =
  'copy bare_events (log_id, position, recorded_at, type, version, pass, step, batch, attempt, chunks, data, leaf) from stdin';

/** Inserts the same rows with COPY. */
export const bareCopy: Subject = bare(async (client, { logId, data, chunk, leaf }, first, count) => {
  const { from } = await importPeer<{ from(sql: string): NodeJS.WritableStream & pg.Submittable }>('pg-copy-streams');
  const row = (n: number) =>
    `${logId}\t${n}\tnow\t${eventType}\t1\t1\tdoubled\t${n}\t1\t{"\\\\\\\\x${chunk.toString('hex')}"}\t${data}\t\\\\x${leaf.toString('hex')}\n`;
  const copy = client.query(from(copySql));
  copy.end(Array.from({ length: count }, (_, n) => row(first + n)).join(''));
  await once(copy, 'finish');
});

const logIdOf = (process: number, caller: number): string => `bare-${process}-${caller}`;

/** Returns a subject whose callers have their own connection and log, so that no caller waits for another. */
function bare(append: Append): Subject {
  return {
    prepare: async (url) => {
      const { Client } = (await importPeer<Pg>('pg')).default;
      await migrate(() => ({ connectionString: url }));
      const client = new Client(url);
      await client.connect();
      for (const table of ['events', 'heads', 'commits'])
        await client.query(`create table bare_${table} (like distilog.${table} including all)`);
      await client.end();
    },
    open: async ({ url, callers, process, data }: OpenOptions) => {
      const { Client } = (await importPeer<Pg>('pg')).default;
      const clients = Array.from({ length: callers }, () => new Client(url));
      await Promise.all(clients.map((client) => client.connect()));
      for (const [caller, client] of clients.entries())
        await client.query("insert into bare_heads values ($1, 0, 'epoch', 1, '')", [logIdOf(process, caller)]);
      return {
        callers: clients.map((client, caller) => {
          const columns = { logId: logIdOf(process, caller), data, chunk: randomBytes(32), leaf: randomBytes(32) };
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
