import type { PostgresStore } from '../src/postgres/index.ts';
import { makeLongLog, type LongLog } from './long-log.ts';
import type { Bench } from './area.ts';
import { requireVerified } from './require-verified.ts';
import type { BenchDatabase, BenchServer } from './server.ts';

/** A log of some size in a database of its own. */
export interface StoredLongLog extends LongLog {
  readonly events: number;
  /** How long an event took to write, on the average. */
  readonly microsecondsPerEvent: number;
  readonly database: BenchDatabase;
  readonly store: PostgresStore;
}

const sizes = [10_000, 100_000, 1_000_000, 3_000_000];
const quickSizes = [2_000, 10_000];

/** Made once a server: areas that look at long logs look at the same ones. */
const made = new WeakMap<BenchServer, Promise<readonly StoredLongLog[]>>();

/** Logs of every size that is measured, the smallest first. */
export function longLogs({ server, isQuick, say }: Bench): Promise<readonly StoredLongLog[]> {
  const known = made.get(server) ?? makeAll(server, isQuick ? quickSizes : sizes, say);
  made.set(server, known);
  return known;
}

async function makeAll(server: BenchServer, wanted: readonly number[], say: Bench['say']): Promise<readonly StoredLongLog[]> {
  const logs: StoredLongLog[] = [];
  for (const events of wanted) {
    const database = await server.database(`long_log_${events}`);
    const store = await database.store();
    const started = performance.now();
    const log = await makeLongLog(store, events);
    const seconds = (performance.now() - started) / 1_000;
    await requireVerified(store, log.runId);
    // As autovacuum leaves it.
    await database.sql('vacuum analyze');
    say(`  a log of ${events.toLocaleString('en-US')} events, written in ${seconds.toFixed(1)} s`);
    logs.push({ ...log, events, microsecondsPerEvent: (seconds * 1e6) / events, database, store });
  }
  return logs;
}

/** How a log is called among contestants. */
export const sizeName = ({ events }: StoredLongLog): string => `${events.toLocaleString('en-US')} events`;
