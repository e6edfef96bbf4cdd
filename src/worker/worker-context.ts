import type { NewEvent, Seeds } from '../../schema/index.ts';
import type { Clock } from '../kit/clock.ts';
import type { JsonObject } from '../kit/json.ts';
import type { Redact } from '../kit/redactor.ts';
import type { ChunkStore, EventLog } from '../log/index.ts';
import type { Log } from '../pipeline/index.ts';
import type { RowReader } from '../rows/index.ts';
import type { PauseWish } from '../scheduler/index.ts';
import type { Fuse } from './fuse.ts';
import type { JournalClock } from './journal-clock.ts';
import type { Lanes } from './lanes.ts';
import type { LoadMeter } from './load-meter.ts';
import type { Resources } from './resources.ts';
import type { SourceKeys } from './source-keys.ts';

/** What a worker needs of the process that it runs in. */
export interface WorkerContext {
  readonly runId: string;
  readonly seed: number;
  /** Returns what keys and seeds are made of in this run. */
  readonly seeds: () => Promise<Seeds>;
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly reader: RowReader;
  readonly resources: Resources;
  readonly clock: Clock;
  /** Takes secrets out of a text. */
  readonly redact: Redact;
  readonly userLog: (step: string) => Log;
  /** Appends what a slow batch has done so far. */
  readonly journal: (event: NewEvent<'BatchProgressed'>) => Promise<void>;
  /** Asks for the run to pause at once: calls that other attempts would still begin would fail for the same reason. */
  readonly wishPause: (wish: PauseWish) => void;
  /** Aborted when no more rows are to be handed out. */
  readonly stopping: AbortSignal;
  /** Aborted when calls in flight are not to be waited for. */
  readonly abort: AbortSignal;
  readonly lanesOf: (step: string) => Lanes;
  readonly load: LoadMeter;
  readonly journalClock: JournalClock;
  readonly fuseOf: (step: string) => Fuse;
  /** Returns the position at which the run last paused because a step rejected too much; 0: it never did. */
  readonly reconsiderUntil: (step: string) => Promise<number>;
  /** Returns what a source's rows come from, as it says in this process; null: it does not say. */
  readonly originOf: (step: string) => Promise<JsonObject | null>;
  /** Returns the declared keys of a source's rows, as far as they were read. */
  readonly keysOf: (step: string) => SourceKeys;
  /** Returns keys of a step's rows that are not declared and were not met before. */
  readonly newUndeclared: (step: string, keys: readonly string[]) => readonly string[];
}
