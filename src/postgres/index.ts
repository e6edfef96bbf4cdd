export type { Connect, ConnectOptions } from './connect.ts';
export {
  embeddedStatus,
  embeddedSupervisor,
  embeddedTrust,
  openEmbeddedStore,
  stopEmbeddedStore,
  trustEmbeddedStore,
  type EmbeddedStatus,
  type EmbeddedStore,
  type Trust,
} from './embedded/index.ts';
export { inspectStore, type StoreFacts } from './inspect-store.ts';
export { migrate, migrationFiles, pendingMigrations, requireMigrated } from './migrate.ts';
export { findStore, givenStore, openStore, urlOf, whenUp, type GivenBy, type StoreOptions } from './open-store.ts';
export type { AppendOnlyBy } from './append-only.ts';
export { openPostgresStore, type PostgresStore } from './postgres-store.ts';
export { select, type QueryResult } from './select.ts';
