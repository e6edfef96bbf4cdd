import type { NewEvent, Seeds } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import type { JsonObject } from '../kit/json.ts';
import type { Redact } from '../kit/redactor.ts';
import type { ChunkStore, EventLog } from '../log/index.ts';
import type { Log } from '../pipeline/index.ts';
import type { RowReader } from '../rows/index.ts';
import type { PauseWish } from '../scheduler/index.ts';
import type { RejectLimit } from './reject-limit.ts';
import type { JournalClock } from './journal-clock.ts';
import type { Lanes } from './lanes.ts';
import type { LoadMeter } from './load-meter.ts';
import type { Resources } from './resources.ts';
import type { SourceKeys } from './source-keys.ts';

/** Services that the process provides to a worker's attempts. */
export interface WorkerContext {
  readonly runId: string;
  readonly seed: number;
  /** Returns what keys and seeds are made from in this run. */
  readonly seeds: () => Promise<Seeds>;
  /** Returns what model steps of this run do by default with an answer that was cut off. */
  readonly onTruncated: () => Promise<'reject' | 'keep'>;
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly reader: RowReader;
  readonly resources: Resources;
  readonly clock: Clock;
  /** Removes secrets from a text. */
  readonly redact: Redact;
  readonly userLog: (step: string) => Log;
  /** Appends the progress of a slow batch. */
  readonly journal: (event: NewEvent<'BatchProgressed'>) => Promise<void>;
  /** Asks for the run to pause at once, because calls of other attempts would fail for the same reason. */
  readonly wishPause: (wish: PauseWish) => void;
  /** Aborted when attempts start no more rows. */
  readonly stopping: AbortSignal;
  /** Aborted when calls in flight are no longer awaited. */
  readonly abort: AbortSignal;
  readonly lanesOf: (step: string) => Lanes;
  readonly load: LoadMeter;
  readonly journalClock: JournalClock;
  readonly rejectLimitOf: (step: string) => RejectLimit;
  /** Returns the position at which a step's reject limit last paused the run, or 0. */
  readonly reconsiderUntil: (step: string) => Promise<number>;
  /** Returns what a source's rows come from, as the source reports it in this process, or null. */
  readonly originOf: (step: string) => Promise<JsonObject | null>;
  /** Returns the declared keys of the source's rows that were read so far. */
  readonly keysOf: (step: string) => SourceKeys;
  /** Returns those undeclared keys of a step's rows that were not returned before. */
  readonly newUndeclared: (step: string, keys: readonly string[]) => readonly string[];
}
