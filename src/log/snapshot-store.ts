/** What a snapshot is a state of: dropped whenever any of these changes. */
export interface SnapshotKey {
  readonly logId: string;
  readonly projection: string;
  readonly version: number;
  /** Hash of the event schemas and upcasters that the state was folded with. */
  readonly fingerprint: string;
}

/** A fold's state (JSON) as of a position. */
export interface Snapshot {
  readonly position: number;
  readonly state: unknown;
}

/** Disposable fold states: every one can be computed again from the log. */
export interface SnapshotStore {
  /** The newest snapshot at or below a position, or null. */
  nearest(key: SnapshotKey, position: number): Promise<Snapshot | null>;
  /** Keeps a state. One that is there already at that position is replaced. */
  save(key: SnapshotKey, snapshot: Snapshot): Promise<void>;
  /** Every position at which there is a snapshot, ascending. */
  positions(key: SnapshotKey): Promise<readonly number[]>;
  /** Drops a log's snapshots of all projections. Returns how many there were. */
  drop(logId: string): Promise<number>;
}
