import type { EventLog } from '../log/index.ts';
import { appendWithRetry } from './append-with-retry.ts';
import type { Connect } from './connect.ts';
import { holders } from './driver-lock.ts';
import { openDriverSession } from './driver-session.ts';
import { findAsOf } from './queries/find-as-of.ts';
import { findLastWriter } from './queries/find-last-writer.ts';
import { findPositionAt } from './queries/find-position-at.ts';
import { findRunIds } from './queries/find-run-ids.ts';
import { findSuccess } from './queries/find-success.ts';
import { findUnknownEvent } from './queries/find-unknown-event.ts';
import { findUnreliableFrom } from './queries/find-unreliable-from.ts';
import { readBatchEvents } from './queries/read-batch-events.ts';
import { readCommits } from './queries/read-commits.ts';
import { readEvents } from './queries/read-events.ts';
import { readHead } from './queries/read-head.ts';
import { readRuns } from './queries/read-runs.ts';
import { readStoredEvents } from './queries/read-stored-events.ts';
import { readSuccesses } from './queries/read-successes.ts';
import { countRuns } from './queries/run-list.ts';
import type { Reader } from './reader.ts';

/** Returns the log on PostgreSQL. Each page is a separate query, so that no reader keeps a snapshot of the database open. */
export function postgresLog(connect: Connect, reader: Reader): EventLog {
  const { query } = reader;
  return {
    create: (request) => appendWithRetry(connect, 'create_run', request),
    appendSide: (request) => appendWithRetry(connect, 'append', request),
    openDriver: (runId, options = {}) => openDriverSession(connect, reader, runId, options),
    holder: async (runId) => (await query((database) => holders(database, [runId]))).get(runId) ?? null,

    head: (logId) => query((database) => readHead(database, logId)),
    runs: (options) => readRuns(reader, options),
    countRuns: (selection = {}) => query((database) => countRuns(database, selection)),
    runIds: (prefix, limit) => query((database) => findRunIds(database, prefix, limit)),

    read: (logId, options) => readEvents(reader, logId, options),
    readBatch: (logId, batch) => query((database) => readBatchEvents(database, logId, batch)),
    readSuccesses: (logId, options) => readSuccesses(reader, logId, options),
    success: (logId, batch) => query((database) => findSuccess(database, logId, batch)),
    unknownEvent: (logId, to) => query((database) => findUnknownEvent(database, logId, to)),

    positionAt: (logId, instant) => query((database) => findPositionAt(database, logId, instant)),
    asOf: (logId, position) => query((database) => findAsOf(database, logId, position)),
    unreliableFrom: (logId) => query((database) => findUnreliableFrom(database, logId)),
    lastWriter: (logId) => query((database) => findLastWriter(database, logId)),

    storedEvents: (logId, range) => readStoredEvents(reader, logId, range),
    commits: (logId, range) => readCommits(reader, logId, range),
  };
}
