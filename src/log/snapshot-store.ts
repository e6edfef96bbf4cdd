/** Identifies the log and the version of the fold that a snapshot belongs to. A snapshot under another key is never read. */
export interface SnapshotKey {
  readonly logId: string;
  readonly projection: string;
  readonly version: number;
  /** Hash of the event schemas and upcasters that the state was folded with. */
  readonly fingerprint: string;
}

/** A key, and the position as of which a state is wanted. */
export interface WantedSnapshot extends SnapshotKey {
  readonly position: number;
}

/** A fold's state (JSON) as of a position. */
export interface Snapshot {
  readonly position: number;
  readonly state: unknown;
}

/** A snapshot as it is stored. */
export interface StoredSnapshot {
  readonly position: number;
  /** Position of the `SnapshotsTaken` event that names the state's hash. If a state is stored again, another event names it. */
  readonly namedAt: number;
  /** The state as canonical JSON. */
  readonly state: string;
}

/** A snapshot with the event that should name its hash, or null if the log has none there. */
export interface FoundSnapshot extends StoredSnapshot {
  readonly naming: { readonly type: string; readonly version: number; readonly data: string } | null;
}

/**
 * Stores states of folds. Each can be deleted, because it can be computed again from the log. A store may contain false states: `nearest` returns only states
 * whose hashes the log names, and `checkSnapshots` compares each state with the events.
 */
export interface SnapshotStore {
  /**
   * Returns, for each wanted key and position, the newest snapshot at or before it whose hash the log names, or null. All are read with one query, even for
   * many folds, positions or logs. A second query is needed only if the store has snapshots that the log does not name.
   */
  nearest(wanted: readonly WantedSnapshot[]): Promise<readonly (Snapshot | null)[]>;
  /**
   * Stores states whose hashes the log names at `namedAt`. A state that is stored already does not change.
   * Throws `Fault('snapshot-not-named')` if the log does not name the state there, and `Fault('snapshot-differs')` if another state is stored under the key.
   */
  put(snapshots: readonly (SnapshotKey & StoredSnapshot)[]): Promise<void>;
  /** Returns every key of a log under which snapshots are stored. */
  keys(logId: string): Promise<readonly SnapshotKey[]>;
  /** Reads all snapshots of a key by position, in pages, including those that the log does not name. */
  stored(key: SnapshotKey): AsyncIterable<readonly FoundSnapshot[]>;
}
