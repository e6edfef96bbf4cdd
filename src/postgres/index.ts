export type { Connect } from './connection.ts';
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
export { migrate, migrationFiles, pendingMigrations, requireMigrated, type MigrationFile } from './migrate.ts';
export { findStore, givenStore, openStore, urlOf, whenUp, type GivenBy, type StoreOptions, type StorePlace } from './open-store.ts';
export { openPostgresStore, type PostgresStore } from './postgres-store.ts';
export { select, type Selected, type SelectOptions } from './select.ts';
