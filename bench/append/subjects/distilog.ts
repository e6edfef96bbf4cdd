import { assert } from '#kit/assert';
import { sha256 } from '#kit/sha256';
import { openAppender } from '#log';
import { migrate, openPostgresStore, type Connect } from '#postgres';
import { finishedRun } from '../../../test/postgres/runs.ts';
import { requireVerified } from '../../require-verified.ts';
import { batchSucceeded } from '../event.ts';
import type { Subject } from '../subject.ts';

/** Batches of the run itself are below it. */
const firstBatch = 1_000;

/** The driver of a run: one appender for all callers, as in the product; every event names a chunk. Processes have a run each. */
export const distilog: Subject = {
  prepare: async (url) => {
    await migrate(connectTo(url));
  },
  open: async ({ url, callers }) => {
    const store = await openPostgresStore(connectTo(url));
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
    const append = (count: number) => appender.append(Array.from({ length: count }, () => batchSucceeded(batch++, [chunk.sha256])));
    return {
      callers: Array.from({ length: callers }, () => append),
      close: async () => {
        await appender.close();
        await requireVerified(store, runId);
        await store.close();
      },
    };
  },
};

/** A way to a server that is given as an address. */
const connectTo =
  (url: string): Connect =>
  () => ({ connectionString: url });
