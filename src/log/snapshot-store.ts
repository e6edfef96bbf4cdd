/** What a snapshot is a state of: never read where any of these differs. */
export interface SnapshotKey {
  readonly logId: string;
  readonly projection: string;
  readonly version: number;
  /** Hash of the event schemas and upcasters that the state was folded with. */
  readonly fingerprint: string;
}

/** A key, and the position that a state is wanted of. */
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
  /** Position of the `SnapshotsTaken` event that names the state's hash. A state that is stored again has another one. */
  readonly namedAt: number;
  /** The state as canonical JSON. */
  readonly state: string;
}

/** A snapshot with what the log holds where its hash should be named; null: nothing. */
export interface FoundSnapshot extends StoredSnapshot {
  readonly naming: { readonly type: string; readonly version: number; readonly data: string } | null;
}

/**
 * Disposable fold states: every one can be computed again from the log. A store may hold false ones. `nearest` returns only what the log itself vouches
 * for, and `verify` compares each with the events.
 */
export interface SnapshotStore {
  /**
   * Returns for each wanted key and position the newest snapshot at or below it whose hash the log names, or null. All are read together: states of many
   * folds, at many positions or of many logs cost one query, and another one only where a store holds snapshots that the log does not name.
   */
  nearest(wanted: readonly WantedSnapshot[]): Promise<readonly (Snapshot | null)[]>;
  /**
   * Stores states whose hashes the log names at `namedAt`. One that is stored already stays as it is.
   * Throws `Fault('snapshot-not-named')` where the log names no such state there, `Fault('snapshot-differs')` where another state is stored under the key.
   */
  put(snapshots: readonly (SnapshotKey & StoredSnapshot)[]): Promise<void>;
  /** Returns every key of a log under which snapshots are stored. */
  keys(logId: string): Promise<readonly SnapshotKey[]>;
  /** Reads all snapshots of a key, those that the log does not name included, by position, in pages. */
  stored(key: SnapshotKey): AsyncIterable<readonly FoundSnapshot[]>;
}
