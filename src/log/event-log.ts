import type { EventType, PackedChunk, RecordedEvent } from '../../schema/index.ts';
import type { AppendRefusalCode } from '../faults/index.ts';
import type { Instant, Timestamp } from '../kit/instant.ts';
import type { Sha256 } from '../kit/sha256.ts';
import type { EncodedEvent } from './encoded-event.ts';
import type { RunSelection } from './run-selection.ts';

/** The end of a log: its last position with its time, the hash that covers everything up to it, and the epoch of its driver. */
export interface Head {
  readonly logId: string;
  readonly position: number;
  readonly hash: Sha256;
  readonly recordedAt: Timestamp;
  readonly epoch: number;
}

/** One append. If it is sent again with the same `appendId`, it has the same result. */
export interface AppendRequest {
  readonly logId: string;
  /** The driver's fencing token, or null for a side log, which any process may write. */
  readonly epoch: number | null;
  readonly appendId: string;
  /** The hash of the head that the writer saw last, or null for no check (a side log, the first append of a run). */
  readonly expectedHash: Sha256 | null;
  /** The writing process, for the audit trail: `user@host:pid`. */
  readonly writer: string;
  readonly events: readonly EncodedEvent[];
  /** The hash of each event, if the caller has computed them. The store compares them with what it stores. */
  readonly leaves?: readonly Sha256[] | undefined;
}

/** A driver's append. Its inline chunks (`brings`) are stored in the same transaction as its events. */
export interface DriverAppendRequest extends AppendRequest {
  readonly brings?: readonly PackedChunk[] | undefined;
}

/** The result of an append: its events have positions `first` to `last`, and one time. */
export interface Appended {
  readonly ok: true;
  readonly first: number;
  readonly last: number;
  readonly recordedAt: Timestamp;
  readonly hash: Sha256;
  readonly epoch: number;
  /** Whether the append had been stored before under its id. */
  readonly duplicate: boolean;
}

/**
 * The reason why an append was refused. Nothing was stored.
 * `fenced`: another driver has the run. `history-diverged`: the log does not end where the writer saw it end, or has a lower epoch, because the store fell
 * back to an older copy. `already-recorded`: a second success of a batch, or a second end of an attempt. `append-id-reused`: other events under a known id.
 * `unknown-log`: there is no such log. `unknown-chunk`: an event names a chunk that is not stored. `invalid-event`: the store refused an event's bytes.
 */
export interface AppendRefusal {
  readonly ok: false;
  readonly code: AppendRefusalCode;
  readonly message: string;
  /** The current epoch if the code is `fenced`, else null. */
  readonly epoch: number | null;
}
export type AppendResult = Appended | AppendRefusal;

/** A process that holds a run's driver lock. */
export interface Holder {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** The time when its connection started. If the role may not see that, the time of its first append. */
  readonly since: Timestamp;
}

/** The right to drive one run: a lock, and the connection that holds it. The lock ends with the connection. */
export interface DriverSession {
  readonly runId: string;
  /**
   * Appends. Throws `Fault('connection-lost')` for a connection error. Then it is unknown whether the events were stored: open another session and send the
   * same request.
   */
  append(request: DriverAppendRequest): Promise<AppendResult>;
  /** Raises the epoch from `request.epoch` and appends, in one transaction. `Appended.epoch` is the new epoch. It is refused like an append. */
  takeOver(request: AppendRequest & { readonly epoch: number }): Promise<AppendResult>;
  close(): Promise<void>;
}

export interface OpenDriverOptions {
  /** Ends the connection of the current holder first. */
  readonly seize?: boolean | undefined;
  /** A lost session of the caller. If the store still considers its connection alive, it is ended first. */
  readonly instead?: DriverSession | undefined;
}

export type OpenedDriver =
  | { readonly ok: true; readonly session: DriverSession }
  | { readonly ok: false; readonly code: 'driven'; readonly holder: Holder };

/** An append, as a link of the hash chain. */
export interface Commit {
  readonly first: number;
  readonly last: number;
  readonly recordedAt: Timestamp;
  /** The server's clock at the append. `recordedAt` is ahead of it after the clock was set back. */
  readonly clock: Timestamp;
  readonly appendId: string;
  readonly epoch: number;
  readonly writer: string;
  readonly root: Sha256;
  readonly hash: Sha256;
}

/** An event with its columns and bytes as they are stored, for verification. `data` is the canonical JSON text that was hashed. */
export interface StoredEvent extends EncodedEvent {
  readonly position: number;
  readonly recordedAt: Timestamp;
  readonly leaf: Sha256;
}

/** A position with its time and hash. */
export interface AsOf {
  readonly position: number;
  readonly recordedAt: Timestamp;
  /** The hash of the append that contains the position. It covers everything up to the end of that append. */
  readonly hash: Sha256;
}

export interface ReadOptions {
  /** First position, from 1; default 1. */
  readonly from?: number | undefined;
  /** Last position, inclusive; default: the head when the read starts. */
  readonly to?: number | undefined;
  readonly types?: readonly EventType[] | undefined;
  readonly step?: string | undefined;
}

/** A run in the list of runs, from its first event and its head. */
export interface RunEntry {
  readonly runId: string;
  readonly pipeline: string;
  readonly startedAt: Timestamp;
  readonly head: Head;
  /** The process that drives it now, or null. */
  readonly holder: Holder | null;
}

/**
 * The logs of a store. Positions of a log are 1, 2, 3 … without gaps, in commit order. `recordedAt` never decreases. Acknowledged events are durable.
 * After a reader has passed a position, no new event appears at or below it.
 */
export interface EventLog {
  /**
   * Creates a run's log and its side log, with the run's first events from position 1 on, at epoch 1. A call with the same `appendId` returns the same
   * result. With another `appendId` it is refused as `already-recorded`.
   */
  create(request: AppendRequest & { readonly epoch: 1 }): Promise<AppendResult>;
  /** Appends to a side log. Retries until the outcome is known. */
  appendSide(request: AppendRequest & { readonly epoch: null }): Promise<AppendResult>;
  /** Takes the run's driver lock. */
  openDriver(runId: string, options?: OpenDriverOptions): Promise<OpenedDriver>;
  /** Returns the process that holds the run's driver lock now, or null. */
  holder(runId: string): Promise<Holder | null>;

  /** Returns the end of a log, or null if there is no such log. */
  head(logId: string): Promise<Head | null>;
  /** Reads the runs of a selection (default: all), newest first, in pages of at most `pageMax`. */
  runs(options?: RunSelection & { readonly pageMax?: number | undefined }): AsyncIterable<readonly RunEntry[]>;
  /** Returns the number of runs of a selection (default: all). */
  countRuns(selection?: RunSelection): Promise<number>;
  /** Returns ids of runs that start with `prefix`, at most `limit`. */
  runIds(prefix: string, limit: number): Promise<readonly string[]>;
  /** Reads events in order, in pages. Events that this program cannot read are left out (see `unknownEvent`). */
  read(logId: string, options?: ReadOptions): AsyncIterable<readonly RecordedEvent[]>;
  /** Returns the results of attempts at one batch up to a position, in order: `BatchProgressed`, `BatchFailed` and `BatchSucceeded`. */
  readBatch(
    logId: string,
    batch: { readonly pass: number; readonly step: string; readonly batch: number; readonly to?: number | undefined },
  ): Promise<readonly RecordedEvent[]>;
  /** Reads successes of a step's batches from (`fromPass`, `fromBatch`) on, up to a position, in order of (pass, batch), in pages of at most `pageMax`. */
  readSuccesses(
    logId: string,
    options: {
      readonly step: string;
      readonly fromPass?: number | undefined;
      readonly fromBatch?: number | undefined;
      readonly to: number;
      readonly pageMax?: number | undefined;
    },
  ): AsyncIterable<readonly RecordedEvent<'BatchSucceeded'>[]>;
  /** Returns the success of one batch up to a position, or null. */
  success(
    logId: string,
    batch: { readonly pass: number; readonly step: string; readonly batch: number; readonly to: number },
  ): Promise<RecordedEvent<'BatchSucceeded'> | null>;
  /** Returns the first event at or below `to` that this program cannot read, or null. */
  unknownEvent(logId: string, to: number): Promise<{ readonly position: number; readonly reason: string } | null>;
  /** Returns the last position recorded at or before an instant, or 0. If the instant is not before the head's time, it waits for an append in flight. */
  positionAt(logId: string, instant: Instant): Promise<number>;
  /** Returns a position with its time and hash, or null for 0 and beyond the head. */
  asOf(logId: string, position: number): Promise<AsOf | null>;
  /** Returns the first position whose `recordedAt` is ahead of the server's clock by more than a second, or null. */
  unreliableFrom(logId: string): Promise<number | null>;
  /** Returns the process that appended last, as `user@host:pid`, or null if there is no such log. For a run's log it is the current or last driver. */
  lastWriter(logId: string): Promise<string | null>;
  /** Reads events as they are stored, in order, in pages, for `verify`. */
  storedEvents(logId: string, range: { readonly from: number; readonly to: number }): AsyncIterable<readonly StoredEvent[]>;
  /** Reads the appends whose first position is in the range, in order, in pages. */
  commits(logId: string, range: { readonly from: number; readonly to: number }): AsyncIterable<readonly Commit[]>;
}

/** Returns the id of the log that a run's driver writes. */
export const runLogId = (runId: string): string => runId;
/** Returns the id of a run's side log, for events of other processes than its driver. */
export const sideLogId = (runId: string): string => `${runId}/side`;
/** Returns whether a log is a side log, which any process may write. */
export const isSideLog = (logId: string): boolean => logId.endsWith('/side');
