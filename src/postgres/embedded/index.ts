export {
  embeddedStatus,
  embeddedSupervisor,
  openEmbeddedStore,
  stopEmbeddedStore,
  type EmbeddedStatus,
  type EmbeddedStore,
  type StopOptions,
} from './client.ts';
export type { Connection } from './connection.ts';
