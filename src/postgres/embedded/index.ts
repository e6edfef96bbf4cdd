export { openEmbeddedStore, type EmbeddedStore } from './open-embedded-store.ts';
export { embeddedStatus, embeddedSupervisor, type EmbeddedStatus } from './embedded-status.ts';
export { stopEmbeddedStore } from './stop-embedded-store.ts';
export { embeddedTrust, trustEmbeddedStore } from './embedded-trust.ts';
export type { Connection } from './connection.ts';
export type { Trust } from './trust.ts';
