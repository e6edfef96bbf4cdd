export type { Connect } from './connection.ts';
export { embeddedSupervisor, openEmbeddedStore, stopEmbeddedStore, type EmbeddedStore } from './embedded/index.ts';
export { migrate, migrationFiles, pendingMigrations, requireMigrated, type MigrationFile } from './migrate.ts';
export { findStore, openStore, urlOf, type StoreOptions, type StorePlace } from './open-store.ts';
export { openPostgresStore, type PostgresStore } from './postgres-store.ts';
export { select, type Selected, type SelectOptions } from './select.ts';
