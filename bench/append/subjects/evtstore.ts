import type pg from 'pg';
import { importPeer } from '../../peers.ts';
import { eventType, type Subject } from '../subject.ts';

type Pg = { readonly default: typeof pg };

/** The part of evtstore that the benchmark uses. */
interface Evtstore {
  migrate(options: { readonly client: pg.Pool; readonly events: string; readonly bookmarks: string }): Promise<void>;
  createProvider(options: { readonly client: pg.Pool; readonly events: string; readonly bookmarks: string }): {
    createEvents(stream: string, id: string, version: number, events: readonly unknown[]): unknown[];
    append(stream: string, id: string, version: number, events: unknown[]): Promise<unknown>;
  };
}

const tables = { events: 'events', bookmarks: 'bookmarks' };
const load = () => importPeer<Evtstore>('evtstore/provider/pg.js');

/** evtstore on a pool of the default size, one aggregate per caller. */
export const evtstore: Subject = {
  prepare: async (url) => {
    const client = new (await importPeer<Pg>('pg')).default.Pool({ connectionString: url });
    await (await load()).migrate({ client, ...tables });
    await client.end();
  },
  open: async ({ url, callers, process, data }) => {
    const client = new (await importPeer<Pg>('pg')).default.Pool({ connectionString: url });
    const provider = (await load()).createProvider({ client, ...tables });
    const event = { type: eventType, ...(JSON.parse(data) as object) };
    return {
      callers: Array.from({ length: callers }, (_, caller) => {
        const id = `${process}-${caller}`;
        let version = 1;
        return (count: number) => {
          const events = provider.createEvents(
            'bench',
            id,
            version,
            Array.from({ length: count }, () => event),
          );
          version += count;
          return provider.append('bench', id, version, events);
        };
      }),
      close: () => client.end(),
    };
  },
};
