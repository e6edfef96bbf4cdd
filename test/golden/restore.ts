import type pg from 'pg';
import { systemClock } from '../../src/kit/clock.ts';
import { parseInstant } from '../../src/kit/instant.ts';
import {
  memoryStore,
  sideLogId,
  type AppendRequest,
  type AppendResult,
  type Commit,
  type DriverSession,
  type MemoryStore,
  type StoredEvent,
} from '../../src/log/index.ts';
import { unpacked, type GoldenLog } from './golden-log.ts';

/**
 * Appends a golden log to a memory store, append by append, at the times at which it was written: the store computes every hash again, and throws where
 * one differs from what was recorded.
 */
export async function restoreInMemory({ runId, logs, chunks }: GoldenLog): Promise<MemoryStore> {
  let now: number | null = null;
  const store = memoryStore({ clock: () => now ?? systemClock() });
  await store.chunks.put(chunks.map(unpacked));
  let session: DriverSession | null = null;
  let epoch = 1;
  for (const { head, commits, events } of logs) {
    for (const commit of commits) {
      now = parseInstant(commit.clock);
      const request = requestOf(head.logId, commit, events);
      let result: AppendResult;
      if (head.logId === sideLogId(runId)) result = await store.log.appendSide({ ...request, epoch: null });
      else if (commit.first === 1) result = await store.log.create({ ...request, epoch: 1 });
      else {
        session ??= await opened(store, runId);
        result = commit.epoch > epoch ? await session.takeOver({ ...request, epoch }) : await session.append({ ...request, epoch });
        epoch = commit.epoch;
      }
      if (!result.ok || result.hash !== commit.hash || result.recordedAt !== commit.recordedAt)
        throw new Error(
          `position ${commit.first} of ${head.logId} was appended as ${JSON.stringify(result)}, not as ${JSON.stringify(commit)}`,
        );
    }
  }
  await session?.close();
  now = null;
  return store;
}

async function opened(store: MemoryStore, runId: string): Promise<DriverSession> {
  const driver = await store.log.openDriver(runId);
  if (!driver.ok) throw new Error('another process drives the run');
  return driver.session;
}

const requestOf = (
  logId: string,
  { first, last, appendId, writer }: Commit,
  events: readonly StoredEvent[],
): Omit<AppendRequest, 'epoch'> => ({
  logId,
  appendId,
  expectedHash: null,
  writer,
  events: events.filter(({ position }) => first <= position && position <= last),
});

type Query = (text: string, values: readonly unknown[]) => Promise<pg.QueryResult>;

/** Inserts a golden log's rows into the tables of a migrated database, as restoring a dump would. `query` runs as their owner. */
export async function restoreInPostgres({ logs, chunks }: GoldenLog, query: Query): Promise<void> {
  const insert = (table: string, rows: readonly object[]) =>
    query(
      `insert into distilog.${table} select r.* from json_array_elements($1::json) as e (row), json_populate_record(null::distilog.${table}, e.row) r`,
      [JSON.stringify(rows)],
    );
  await insert(
    'chunks',
    chunks.map(({ sha256, codec, length, base64 }) => ({
      sha256: bytea(sha256),
      codec,
      length,
      body: bytea(Buffer.from(base64, 'base64').toString('hex')),
    })),
  );
  for (const { head, commits, events } of logs) {
    const { logId: log_id } = head;
    await insert('heads', [{ log_id, position: head.position, recorded_at: head.recordedAt, epoch: head.epoch, hash: bytea(head.hash) }]);
    await insert(
      'commits',
      commits.map(({ first, last, recordedAt, clock, appendId, epoch, writer, root, hash }) => ({
        log_id,
        first,
        last,
        recorded_at: recordedAt,
        clock,
        append_id: appendId,
        epoch,
        writer,
        root: bytea(root),
        hash: bytea(hash),
      })),
    );
    await insert(
      'events',
      events.map(({ recordedAt, leaf, chunks: named, ...columns }) => ({
        log_id,
        ...columns,
        recorded_at: recordedAt,
        chunks: named.map(bytea),
        leaf: bytea(leaf),
      })),
    );
  }
}

const bytea = (hex: string): string => `\\x${hex}`;
