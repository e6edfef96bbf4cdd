import { createDistiset } from '../../../src/distiset/index.ts';
import { resumePipeline, startPipeline } from '../../../src/engine/index.ts';
import { hasCode } from '../../../src/kit/fault.ts';
import { newRunId } from '../../../src/kit/ids.ts';
import { resolveAsOf, verify, type Store } from '../../../src/log/index.ts';
import { openPostgresStore } from '../../../src/postgres/index.ts';
import { numbersPlan } from '../../postgres/runs.ts';
import type { OwnServer } from '../../postgres/own-server.ts';
import { openProxy } from '../../postgres/proxy.ts';
import { randomFrom } from '../../unit/random.ts';
import type { Figures } from '../area.ts';

const rows = 60;

/**
 * Drives whole runs and ends every connection of each at one of its awaits: at the n-th piece on the wire, where n is random, or each n in turn.
 * Every run must produce the rows of an undisturbed run.
 */
export async function cutRuns(server: OwnServer, { seed, times }: { readonly seed: number; readonly times: number }): Promise<Figures> {
  const random = randomFrom(seed);
  const proxy = await openProxy(server.socket);
  const direct = await openPostgresStore(server.app);
  const store = await openPostgresStore(proxy.through(server.app));
  const plan = numbersPlan(rows);
  try {
    const before = proxy.pieces;
    const expected = await rowsOf(direct, await run());
    const pieces = proxy.pieces - before;
    let resumes = 0;
    for (let time = 0; time < times; time++) {
      const target = proxy.pieces + 1 + (times < pieces ? random.below(pieces) : time);
      const isEnded = random.chance(0.5);
      proxy.onPiece = async (piece) => {
        if (piece !== target) return;
        if (isEnded) await server.sql(endAll);
        else proxy.cut();
      };
      const runId = await run();
      const found = await rowsOf(direct, runId);
      const { firstBad } = await verify(direct, runId);
      if (found !== expected || firstBad)
        throw new Error(`seed ${seed}, cut at piece ${target - proxy.pieces}: ${firstBad?.reason ?? 'the rows differ'}`);
    }
    return { runs: times, 'pieces of a run': pieces, resumes };

    async function run(): Promise<string> {
      const runId = newRunId('numbers');
      try {
        await (await startPipeline(store, plan, { seed: 1, runId })).drive();
      } catch (error) {
        if (!hasCode(error, 'connection-lost') && !hasCode(error, 'store-unreachable')) throw error;
        resumes++;
        await (await resumePipeline(store, plan, { runId, acceptedChanges: [], concurrency: {}, skip: [], seize: false })).drive();
      }
      return runId;
    }
  } finally {
    await proxy.close();
    await Promise.all([store.close(), direct.close()]);
  }
}

const endAll = `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'distilog%' and pid <> pg_backend_pid()`;

async function rowsOf(store: Store, runId: string): Promise<string> {
  const asOf = await resolveAsOf(store.log, runId, { kind: 'head' });
  const { configs } = await createDistiset(store, runId, { asOf });
  const found: string[] = [];
  for (const config of configs) for await (const row of config.rows()) found.push(JSON.stringify(row));
  return found.join('\n');
}
