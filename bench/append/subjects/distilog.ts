import { assert } from '#kit/assert';
import { sha256 } from '#kit/sha256';
import { openAppender, type Store } from '#log';
import { migrate, openPostgresStore, type Connect } from '#postgres';
import { finishedRun } from '../../../test/postgres/runs.ts';
import { requireVerified } from '../../require-verified.ts';
import { batchSucceeded } from '../event.ts';
import type { Subject } from '../subject.ts';

/** Batches of the run itself are below it. */
const firstBatch = 1_000;

/** The driver of a run: one appender for all callers, as in the product; every event names a chunk. Processes have a run each. */
export const distilog: Subject = drivers(1);

/** As many runs as there are callers, each with a driver of its own: what callers of others have, who do not share a stream either. */
export const distilogByCaller: Subject = drivers(Number.POSITIVE_INFINITY);

function drivers(most: number): Subject {
  return {
    prepare: async (url) => {
      await migrate(connectTo(url));
    },
    open: async ({ url, callers }) => {
      const store = await openPostgresStore(connectTo(url));
      const runs = await Promise.all(Array.from({ length: Math.min(most, callers) }, () => openRun(store)));
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

type OpenRun = Awaited<ReturnType<typeof openRun>>;

async function openRun(store: Store) {
  const runId = await finishedRun(store, 10);
  const bytes = Buffer.from(runId);
  const chunk = { sha256: sha256(bytes), bytes };
  await store.chunks.put([chunk]);
  // The server may not have noticed yet that whoever drove the run is gone.
  const opened = await store.log.openDriver(runId, { seize: true });
  const head = await store.log.head(runId);
  assert(opened.ok && head, 'a new run has no other driver');
  const { epoch, position, hash: expectedHash } = head;
  const appender = openAppender({ log: store.log, runId, session: opened.session, epoch, position, expectedHash, writer: 'bench' });
  let batch = firstBatch;
  return {
    append: (count: number) => appender.append(Array.from({ length: count }, () => batchSucceeded(batch++, [chunk.sha256]))),
    close: async () => {
      await appender.close();
      await requireVerified(store, runId);
    },
  };
}

/** A way to a server that is given as an address. */
const connectTo =
  (url: string): Connect =>
  () => ({ connectionString: url });
