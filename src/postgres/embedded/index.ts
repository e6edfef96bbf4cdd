export {
  embeddedStatus,
  embeddedSupervisor,
  openEmbeddedStore,
  stopEmbeddedStore,
  type EmbeddedStatus,
  type EmbeddedStore,
} from './client.ts';
export type { Connection } from './connection.ts';
