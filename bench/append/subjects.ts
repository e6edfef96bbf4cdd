import { us } from '../area.ts';
import type { Subject } from './subject.ts';

/** Somebody who is compared, as the process that compares sees them. */
export interface SubjectEntry {
  readonly name: string;
  /** Packages of bench/peers that it takes. */
  readonly packages: readonly string[];
  /** Counts what is stored. */
  readonly countSql: string;
  /** Loaded by the processes that append only. */
  readonly load: () => Promise<Subject>;
}

/** We again, with a run for each caller. */
export const usByCaller = `${us}, a run a caller`;

/** Everybody who is compared. */
export const subjects: readonly SubjectEntry[] = [
  {
    name: us,
    packages: [],
    countSql: 'select count(*) from distilog.events where batch >= 1000',
    load: async () => (await import('./subjects/distilog.ts')).distilog,
  },
  {
    name: usByCaller,
    packages: [],
    countSql: 'select count(*) from distilog.events where batch >= 1000',
    load: async () => (await import('./subjects/distilog.ts')).distilogByCaller,
  },
  {
    name: 'bare INSERT',
    packages: ['pg'],
    countSql: 'select count(*) from bare_events',
    load: async () => (await import('./subjects/bare.ts')).bareInsert,
  },
  {
    name: 'bare INSERT, grouped',
    packages: ['pg'],
    countSql: 'select count(*) from bare_events',
    load: async () => (await import('./subjects/bare.ts')).bareGrouped,
  },
  {
    name: 'bare INSERT, chained',
    packages: ['pg'],
    countSql: 'select count(*) from bare_events',
    load: async () => (await import('./subjects/bare.ts')).bareChained,
  },
  {
    name: 'append function alone',
    packages: [],
    countSql: 'select count(*) from distilog.events where batch >= 1000',
    load: async () => (await import('./subjects/distilog.ts')).functionAlone,
  },
  {
    name: 'bare COPY',
    packages: ['pg', 'pg-copy-streams'],
    countSql: 'select count(*) from bare_events',
    load: async () => (await import('./subjects/bare.ts')).bareCopy,
  },
  {
    name: 'Emmett',
    packages: ['@event-driven-io/emmett-postgresql'],
    countSql: 'select count(*) from emt_messages',
    load: async () => (await import('./subjects/emmett.ts')).emmett,
  },
  {
    name: 'evtstore',
    packages: ['pg', 'evtstore/provider/pg.js'],
    countSql: 'select count(*) from events',
    load: async () => (await import('./subjects/evtstore.ts')).evtstore,
  },
  {
    name: 'castore',
    packages: ['@castore/event-storage-adapter-postgres'],
    countSql: 'select count(*) from event',
    load: async () => (await import('./subjects/castore.ts')).castore,
  },
  {
    name: 'message-db',
    packages: ['pg', '@eventide/message-db/package.json'],
    countSql: 'select count(*) from message_store.messages',
    load: async () => (await import('./subjects/message-db.ts')).messageDb,
  },
];
