import { ownName } from '../area.ts';
import type { Subject } from './subject.ts';

/** A contestant, as the process that compares sees it. */
export interface SubjectEntry {
  readonly name: string;
  /** Packages of bench/peers that it needs. */
  readonly packages: readonly string[];
  /** SQL that counts the stored events. */
  readonly countSql: string;
  /** Loads the contestant. Only processes that append call it. */
  readonly load: () => Promise<Subject>;
}

/** Name of distilog with one run per caller. */
export const ownNameByCaller = `${ownName}, one run per caller`;

/** All contestants. */
export const subjects: readonly SubjectEntry[] = [
  {
    name: ownName,
    packages: [],
    countSql: 'select count(*) from distilog.events where batch >= 1000',
    load: async () => (await import('./subjects/distilog.ts')).distilog,
  },
  {
    name: ownNameByCaller,
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
    name: 'append function only',
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
