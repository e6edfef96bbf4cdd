import fs from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import { findPeer, importPeer } from '../../peers.ts';
import { eventType, type Subject } from '../subject.ts';

type Pg = { readonly default: typeof pg };

/** message-db's SQL files, in the order of its own install script. Roles and views are left out, because a writer does not need them. */
const files = [
  'schema/message-store.sql',
  'extensions/pgcrypto.sql',
  'tables/messages.sql',
  'types/message.sql',
  ...['hash-64', 'acquire-lock', 'category', 'is-category', 'id', 'cardinal-id', 'stream-version', 'write-message'].map(
    (name) => `functions/${name}.sql`,
  ),
  ...['id', 'category', 'stream'].map((name) => `indexes/messages-${name}.sql`),
];

const openPool = async (url: string, max?: number) => {
  const { Pool } = (await importPeer<Pg>('pg')).default;
  return new Pool({ connectionString: url, options: '-c search_path=message_store,public', ...(max === undefined ? {} : { max }) });
};

const writeSql = `select write_message(gen_random_uuid()::text, $1, '${eventType}', data) from unnest($2::jsonb[]) as e (data)`;

/** message-db's write function, called once per event, all events of a call in one statement. Each caller has its own category, so locks are not shared. */
export const messageDb: Subject = {
  prepare: async (url) => {
    const client = await openPool(url, 1);
    const folder = path.dirname(findPeer('@eventide/message-db/package.json') ?? '');
    for (const file of files) await client.query(fs.readFileSync(path.join(folder, 'database', file), 'utf8'));
    await client.end();
  },
  open: async ({ url, callers, process, data }) => {
    const client = await openPool(url);
    return {
      callers: Array.from({ length: callers }, (_, caller) => (count: number) => {
        const values = [`bench${process}x${caller}-1`, Array.from({ length: count }, () => data)];
        return client.query({ name: 'write_message', text: writeSql, values });
      }),
      close: () => client.end(),
    };
  },
};
