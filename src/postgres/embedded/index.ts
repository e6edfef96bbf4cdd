export {
  embeddedStatus,
  embeddedSupervisor,
  embeddedTrust,
  openEmbeddedStore,
  stopEmbeddedStore,
  trustEmbeddedStore,
  type EmbeddedStatus,
  type EmbeddedStore,
} from './client.ts';
export type { Connection } from './connection.ts';
export type { Trust } from './trust.ts';
