import pg from 'pg';
import { assert } from '../../../src/kit/assert.ts';
import { newId } from '../../../src/kit/ids.ts';
import { sha256 } from '../../../src/kit/sha256.ts';
import { encodeEvent, openAppender, runLogId, type Store } from '../../../src/log/index.ts';
import { migrate, openPostgresStore, type Connect } from '../../../src/postgres/index.ts';
import { finishedRun } from '../../../test/postgres/runs.ts';
import { callAppend } from '../../../src/postgres/statements.ts';
import { requireVerified } from '../../require-verified.ts';
import { batchSucceeded } from '../event.ts';
import type { Subject } from '../subject.ts';
import { groupCallers } from './grouped.ts';

/** Number of the first batch that the benchmark appends. The batches of the finished run are below it. */
const firstBatch = 1_000;

/** One run per process, with one appender for all callers, as in a real driver. Every event names a chunk. */
export const distilog: Subject = drivers(1);

/** One run per caller, each with its own driver. Callers of other event stores do not share a stream either. */
export const distilogByCaller: Subject = drivers(Number.POSITIVE_INFINITY);

function drivers(runsMax: number): Subject {
  return {
    prepare: async (url) => {
      await migrate(connectTo(url));
    },
    open: async ({ url, callers }) => {
      const store = await openPostgresStore(connectTo(url));
      const runs = await Promise.all(Array.from({ length: Math.min(runsMax, callers) }, () => openRun(store)));
      return {
        callers: Array.from({ length: callers }, (_, caller) => (runs[caller % runs.length] as OpenRun).append),
        close: async () => {
          for (const run of runs) await run.close();
          await store.close();
        },
      };
    },
  };
}

/**
 * The SQL function that the driver calls, back to back on one connection, with events that are encoded already. This is PostgreSQL's part of an append with
 * all its guarantees, without the work of the driver's process.
 */
export const functionAlone: Subject = groupCallers({
  prepare: distilog.prepare,
  open: async ({ url }) => {
    const store = await openPostgresStore(connectTo(url));
    const { runId, chunk, head } = await newRun(store);
    const client = new pg.Client(url);
    await client.connect();
    const encoded = encodeEvent(batchSucceeded(0, [chunk]));
    let batch = firstBatch;
    let expectedHash = head.hash;
    const append = async (count: number) => {
      const events = Array.from({ length: count }, () => ({ ...encoded, batch: batch++ }));
      const request = { logId: runLogId(runId), epoch: head.epoch, appendId: newId(), expectedHash, writer: 'bench', events };
      const answer = await callAppend(client, 'append', request);
      assert(answer.ok, 'a log without other writers takes every append');
      expectedHash = answer.hash;
    };
    return {
      callers: [append],
      close: async () => {
        await client.end();
        await requireVerified(store, runId);
        await store.close();
      },
    };
  },
});

type OpenRun = Awaited<ReturnType<typeof openRun>>;

async function openRun(store: Store) {
  const { runId, chunk, head } = await newRun(store);
  // The server may not have noticed yet that the run's driver is gone.
  const opened = await store.log.openDriver(runId, { seize: true });
  assert(opened.ok, 'a new run has no other driver');
  const { epoch, position, hash: expectedHash } = head;
  const appender = openAppender({ log: store.log, runId, session: opened.session, epoch, position, expectedHash, writer: 'bench' });
  let batch = firstBatch;
  return {
    append: (count: number) => appender.append(Array.from({ length: count }, () => batchSucceeded(batch++, [chunk]))),
    close: async () => {
      await appender.close();
      await requireVerified(store, runId);
    },
  };
}

/** Makes a finished run. Returns it with the address of a stored chunk that its events may name. */
async function newRun(store: Store) {
  const runId = await finishedRun(store, 10);
  const bytes = Buffer.from(runId);
  const chunk = sha256(bytes);
  await store.chunks.put([{ sha256: chunk, bytes }]);
  const head = await store.log.head(runId);
  assert(head, 'a run has a log');
  return { runId, chunk, head };
}

/** Returns the connection settings for an address. */
const connectTo =
  (url: string): Connect =>
  () => ({ connectionString: url });
