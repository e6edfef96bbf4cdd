import { randomUUID } from 'node:crypto';
import { importPeer } from '../../peers.ts';
import { eventType, type Subject } from '../subject.ts';

interface Detail {
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  readonly payload: unknown;
}

/** The part of castore that the benchmark uses. */
interface Castore {
  readonly PostgresEventStorageAdapter: {
    new (options: {
      readonly connectionString: string;
    }): {
      pushEvent(event: Detail, options: typeof place): Promise<unknown>;
      groupEvent(event: Detail): { context?: typeof place };
      pushEventGroup(options: object, ...events: readonly { context?: typeof place }[]): Promise<unknown>;
    };
    createEventTable(options: { readonly connectionString: string }): Promise<unknown>;
  };
}

const place = { eventStoreId: 'bench' };
const load = () => importPeer<Castore>('@castore/event-storage-adapter-postgres');

/** castore on its own pool, one aggregate per caller. Several events are one event group. */
export const castore: Subject = {
  prepare: async (url) => {
    await (await load()).PostgresEventStorageAdapter.createEventTable({ connectionString: url });
  },
  open: async ({ url, callers, data }) => {
    const adapter = new (await load()).PostgresEventStorageAdapter({ connectionString: url });
    const payload = JSON.parse(data) as unknown;
    return {
      callers: Array.from({ length: callers }, () => {
        const aggregateId = randomUUID();
        let version = 1;
        const detail = () => ({ aggregateId, version: version++, type: eventType, payload });
        return (count: number) => {
          if (count === 1) return adapter.pushEvent(detail(), place);
          const group = Array.from({ length: count }, () => Object.assign(adapter.groupEvent(detail()), { context: place }));
          return adapter.pushEventGroup({}, ...group);
        };
      }),
      // castore cannot close its pool. The pool ends with the process.
      close: async () => undefined,
    };
  },
};
