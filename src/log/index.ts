export { hashMismatch, requireSameHash } from './append-check.ts';
export { appendSideEvent } from './append-side-event.ts';
export { openAppender, type Appender, type AppenderOptions } from './appender.ts';
export { parseAsOf, parseSince, resolveAsOf, type ParsedAsOf } from './as-of.ts';
export { checkChunk, chunkConflict } from './check-chunk.ts';
export type { Chunk, ChunkStore } from './chunk-store.ts';
export { decodeEvent, encodeEvent, type EncodedEvent } from './encoded-event.ts';
export {
  runLogId,
  sideLogId,
  type Appended,
  type AppendRefusal,
  type AppendRequest,
  type DriverAppendRequest,
  type AppendResult,
  type AsOf,
  type Commit,
  type DriverSession,
  type EventLog,
  type Head,
  type Holder,
  type OpenDriverOptions,
  type OpenedDriver,
  type ReadOptions,
  type RunEntry,
  type StoredEvent,
} from './event-log.ts';
export { foldAll, foldAllAtEach, foldAt, foldRange, snapshotKey, type FoldStore } from './fold.ts';
export type { Foldable } from './foldable.ts';
export { follow, type FollowOptions } from './follow.ts';
export { checkSnapshots, type CheckedSnapshots, type CheckSnapshotsOptions, type FalseSnapshot } from './check-snapshots.ts';
export { chainHash, emptyHash, leafHash, rootHash } from './hash-chain.ts';
export { memoryStore, type MemoryStore } from './memory-store.ts';
export { rebuild, type Rebuilt } from './rebuild.ts';
export { explainUnnamed } from './named-snapshot.ts';
export type { FoundSnapshot, Snapshot, SnapshotKey, SnapshotStore, StoredSnapshot, WantedSnapshot } from './snapshot-store.ts';
export { statusTypes, type RunCursor, type RunSelection } from './run-selection.ts';
export { snapshotting, type Snapshotting } from './snapshotting.ts';
export type { Store } from './store.ts';
export { takeSnapshots } from './take-snapshots.ts';
export { verify, type FirstBad, type Verified, type VerifyOptions } from './verify.ts';
export { ignoreSnapshots } from './ignore-snapshots.ts';
