import type { EventType, PackedChunk, RecordedEvent } from '../../schema/index.ts';
import type { AppendRefusalCode } from '../faults/index.ts';
import type { Instant, Timestamp } from '../kit/instant.ts';
import type { Sha256 } from '../kit/sha256.ts';
import type { EncodedEvent } from './encoded-event.ts';
import type { RunSelection } from './run-selection.ts';

/** Where a log ends: its last position, the hash that covers everything up to it, when that was, and who may append. */
export interface Head {
  readonly logId: string;
  readonly position: number;
  readonly hash: Sha256;
  readonly recordedAt: Timestamp;
  readonly epoch: number;
}

/** One append, frozen: sent again with the same `appendId` it has the same result. */
export interface AppendRequest {
  readonly logId: string;
  /** The driver's fencing token; null on a side log, where anyone may write. */
  readonly epoch: number | null;
  readonly appendId: string;
  /** The head's hash that the writer last saw; null: not checked (a side log, the first append of a run). */
  readonly expectedHash: Sha256 | null;
  /** Who writes, for the audit trail: `user@host:pid`. */
  readonly writer: string;
  readonly events: readonly EncodedEvent[];
  /** The hash of each event, if it was computed ahead. The store compares them with what it stores. */
  readonly leaves?: readonly Sha256[] | undefined;
}

/** A driver's append: it may bring chunks, which are stored with the events, if those are. */
export interface DriverAppendRequest extends AppendRequest {
  readonly brings?: readonly PackedChunk[] | undefined;
}

/** Where the events of an append stand: positions `first` to `last`, all at one time. */
export interface Appended {
  readonly ok: true;
  readonly first: number;
  readonly last: number;
  readonly recordedAt: Timestamp;
  readonly hash: Sha256;
  readonly epoch: number;
  /** Whether this very append had been stored before. */
  readonly duplicate: boolean;
}

/**
 * Why an append was refused; nothing was stored.
 * `fenced`: another driver has the run. `history-diverged`: the log does not end where the writer last saw it end, or has not come to its epoch: the store fell back to an older copy.
 * `already-recorded`: a second success of a batch, or a second end of an attempt. `append-id-reused`: other events under a known id.
 * `unknown-log`: there is no such log. `unknown-chunk`: an event names a chunk that is not stored. `invalid-event`: the store refused an event's bytes.
 */
export interface AppendRefusal {
  readonly ok: false;
  readonly code: AppendRefusalCode;
  readonly message: string;
  /** The current epoch, where the refusal is `fenced`. */
  readonly epoch: number | null;
}
export type AppendResult = Appended | AppendRefusal;

/** A process that holds a run's driver lock. */
export interface Holder {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** Since when its connection stands; where that may not be seen, since when it appends. */
  readonly since: Timestamp;
}

/** The right to drive one run: a lock that ends with the connection that holds it, and that connection. */
export interface DriverSession {
  readonly runId: string;
  /** Appends. A connection error throws a `Fault('connection-lost')`: whether the events were stored is unknown; open another session and send the same request. */
  append(request: DriverAppendRequest): Promise<AppendResult>;
  /** Raises the epoch from `request.epoch` and appends, in one transaction: `Appended.epoch` is the new one. Refused like an append. */
  takeOver(request: AppendRequest & { readonly epoch: number }): Promise<AppendResult>;
  close(): Promise<void>;
}

export interface OpenDriverOptions {
  /** Ends the holder's connection first, whoever it is. */
  readonly seize?: boolean | undefined;
  /** A session of the caller's own that is lost: its connection is ended first, where the store still takes it for alive. */
  readonly instead?: DriverSession | undefined;
}

export type OpenedDriver =
  | { readonly ok: true; readonly session: DriverSession }
  | { readonly ok: false; readonly code: 'driven'; readonly holder: Holder };

/** One append's place in the hash chain. */
export interface Commit {
  readonly first: number;
  readonly last: number;
  readonly recordedAt: Timestamp;
  /** The server's raw clock at the append: `recordedAt` leads it where the clock was set back. */
  readonly clock: Timestamp;
  readonly appendId: string;
  readonly epoch: number;
  readonly writer: string;
  readonly root: Sha256;
  readonly hash: Sha256;
}

/** An event as its columns and bytes are stored, for those who check them. `data` is the canonical JSON text that was hashed. */
export interface StoredEvent extends EncodedEvent {
  readonly position: number;
  readonly recordedAt: Timestamp;
  readonly leaf: Sha256;
}

/** A position with what stands there. */
export interface AsOf {
  readonly position: number;
  readonly recordedAt: Timestamp;
  /** The hash of the commit that holds the position: covers everything up to it. */
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
  /** Who drives it now, or null. */
  readonly holder: Holder | null;
}

/**
 * The logs of a store. Positions of a log are 1, 2, 3 … without gaps, in commit order; `recordedAt` never goes back; what was acknowledged is durable.
 * A reader that has passed a position never later meets an event at or below it.
 */
export interface EventLog {
  /** Makes a run's log and its side log, with the run's first events at position 1 …, epoch 1. The same `appendId` twice makes one run. `appendId` other: refused `already-recorded`. */
  create(request: AppendRequest & { readonly epoch: 1 }): Promise<AppendResult>;
  /** Appends to a side log. Retries by itself until it knows the outcome. */
  appendSide(request: AppendRequest & { readonly epoch: null }): Promise<AppendResult>;
  /** Takes the run's driver lock. */
  openDriver(runId: string, options?: OpenDriverOptions): Promise<OpenedDriver>;
  /** Who holds the run's driver lock now, or null. */
  holder(runId: string): Promise<Holder | null>;

  head(logId: string): Promise<Head | null>;
  /** Runs that fit a selection (default: all), newest first, in pages of at most `pageMax`. */
  runs(options?: RunSelection & { readonly pageMax?: number | undefined }): AsyncIterable<readonly RunEntry[]>;
  /** How many runs fit a selection (default: all). */
  countRuns(selection?: RunSelection): Promise<number>;
  /** Ids of runs that start so, at most `limit`, for abbreviations. */
  runIds(prefix: string, limit: number): Promise<readonly string[]>;
  /** Events in order, in pages; unknown types are left out (see `unknownEvents`). */
  read(logId: string, options?: ReadOptions): AsyncIterable<readonly RecordedEvent[]>;
  /** What attempts at one batch came to, up to a position, in order: its `BatchProgressed`, `BatchFailed` and `BatchSucceeded`. */
  readBatch(
    logId: string,
    batch: { readonly pass: number; readonly step: string; readonly batch: number; readonly to?: number | undefined },
  ): Promise<readonly RecordedEvent[]>;
  /** Successes of a step's batches from (`fromPass`, `fromBatch`) on, up to a position, in order of (pass, batch), in pages of at most `pageMax`. */
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
  /** The success of one batch up to a position, or null. */
  success(
    logId: string,
    batch: { readonly pass: number; readonly step: string; readonly batch: number; readonly to: number },
  ): Promise<RecordedEvent<'BatchSucceeded'> | null>;
  /** The first event at or below `to` that this program cannot read, or null. */
  unknownEvent(logId: string, to: number): Promise<{ readonly position: number; readonly reason: string } | null>;
  /** The last position recorded at or before an instant (0 before the first event). At or after the head's time it waits for an append in flight. */
  positionAt(logId: string, instant: Instant): Promise<number>;
  /** What stands at a position; null for 0 and beyond the head. */
  asOf(logId: string, position: number): Promise<AsOf | null>;
  /** The first position whose `recordedAt` leads the server's clock by more than a second, or null. */
  unreliableFrom(logId: string): Promise<number | null>;
  /** Who appended last, as `user@host:pid`: of a run's log, whoever drives it or drove it last. Null for a log that is not there. */
  lastWriter(logId: string): Promise<string | null>;
  /** Events as stored, in order, in pages, for `verify`. */
  storedEvents(logId: string, range: { readonly from: number; readonly to: number }): AsyncIterable<readonly StoredEvent[]>;
  /** Appends whose first position is in the range, in order, in pages. */
  commits(logId: string, range: { readonly from: number; readonly to: number }): AsyncIterable<readonly Commit[]>;
}

/** The log that a run's driver writes. */
export const runLogId = (runId: string): string => runId;
/** The log beside it, for what does not come from its driver. */
export const sideLogId = (runId: string): string => `${runId}/side`;
