export type { Connect } from './connection.ts';
export { migrate, migrationFiles, pendingMigrations, type MigrationFile } from './migrate.ts';
export { openPostgresStore, type PostgresStore } from './postgres-store.ts';
