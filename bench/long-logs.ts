import type { PostgresStore } from '../src/postgres/index.ts';
import { makeLongLog, type LongLog } from './long-log.ts';
import type { Bench } from './area.ts';
import { requireVerified } from './require-verified.ts';
import type { BenchDatabase, BenchServer } from './server.ts';

/** A log of a given size in a database of its own. */
export interface StoredLongLog extends LongLog {
  readonly events: number;
  /** Average time to write an event. */
  readonly microsecondsPerEvent: number;
  readonly database: BenchDatabase;
  readonly store: PostgresStore;
}

const sizes = [10_000, 100_000, 1_000_000, 3_000_000];
const quickSizes = [2_000, 10_000];

/** Logs by server. They are made once, and all areas share them. */
const logsByServer = new WeakMap<BenchServer, Promise<readonly StoredLongLog[]>>();

/** Returns logs of every size to measure, the smallest first. */
export function longLogs({ server, isQuick, reportProgress }: Bench): Promise<readonly StoredLongLog[]> {
  const logs = logsByServer.get(server) ?? makeAll(server, isQuick ? quickSizes : sizes, reportProgress);
  logsByServer.set(server, logs);
  return logs;
}

async function makeAll(
  server: BenchServer,
  wanted: readonly number[],
  reportProgress: Bench['reportProgress'],
): Promise<readonly StoredLongLog[]> {
  const logs: StoredLongLog[] = [];
  for (const events of wanted) {
    const database = await server.database(`long_log_${events}`);
    const store = await database.store();
    const started = performance.now();
    const log = await makeLongLog(store, events);
    const seconds = (performance.now() - started) / 1_000;
    await requireVerified(store, log.runId);
    // Leaves the tables as autovacuum does.
    await database.sql('vacuum analyze');
    reportProgress(`  a log of ${events.toLocaleString('en-US')} events, written in ${seconds.toFixed(1)} s`);
    logs.push({ ...log, events, microsecondsPerEvent: (seconds * 1e6) / events, database, store });
  }
  return logs;
}

/** Returns a log's name among contestants. */
export const sizeName = ({ events }: StoredLongLog): string => `${events.toLocaleString('en-US')} events`;
