import { importPeer } from '../../peers.ts';
import { eventType, type Subject } from '../subject.ts';

/** The part of Emmett that the benchmark uses. */
interface Emmett {
  getPostgreSQLEventStore(url: string): {
    appendToStream(stream: string, events: readonly { readonly type: string; readonly data: unknown }[]): Promise<unknown>;
    close(): Promise<void>;
    readonly schema: { migrate(): Promise<unknown> };
  };
}

const load = () => importPeer<Emmett>('@event-driven-io/emmett-postgresql');

/** Emmett on its own pool, one stream per caller. */
export const emmett: Subject = {
  prepare: async (url) => {
    const store = (await load()).getPostgreSQLEventStore(url);
    await store.schema.migrate();
    await store.close();
  },
  open: async ({ url, callers, process, data }) => {
    const store = (await load()).getPostgreSQLEventStore(url);
    const event = { type: eventType, data: JSON.parse(data) as unknown };
    return {
      callers: Array.from({ length: callers }, (_, caller) => (count: number) => {
        const events = Array.from({ length: count }, () => event);
        return store.appendToStream(`bench-${process}-${caller}`, events);
      }),
      close: () => store.close(),
    };
  },
};
