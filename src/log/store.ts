import type { ChunkStore } from './chunk-store.ts';
import type { EventLog } from './event-log.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** A store of logs, of the chunks that they name, and of snapshots. */
export interface Store {
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly snapshots: SnapshotStore;
  close(): Promise<void>;
}
