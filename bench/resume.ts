import { resumePipeline } from '../src/engine/index.ts';
import type { Store } from '../src/log/index.ts';
import type { RecordedEvent } from '../schema/index.ts';
import type { Area } from './area.ts';
import { longLogPlan } from './long-log.ts';
import { longLogs, sizeName, type StoredLongLog } from './long-logs.ts';
import { pagesRead } from './pages-read.ts';
import { requireVerified } from './require-verified.ts';
import { inTurns, type Runner } from './rounds.ts';

/** How long a run whose driver was lost takes until its next batch is under way, on logs of different sizes. */
export const resume: Area = {
  name: 'resume',
  does: 'a lost run to its first new batch, on logs from small to large',
  run: async (bench) => {
    const logs = await longLogs(bench);
    const contestants = await inTurns(logs.map(resumed), bench.rounds, bench.say);
    for (const { store, runId } of logs) await requireVerified(store, runId);
    const [smallest] = logs;
    return [
      {
        what: 'resume to the first new batch',
        unit: 'ms',
        better: 'lower',
        base: smallest && sizeName(smallest),
        contestants,
        note: 'With a connection of its own, the fold, the takeover and its events, until BatchStarted is durable.',
      },
    ];
  },
};

const resumed = (log: StoredLongLog): Runner => ({
  name: sizeName(log),
  run: async (_round, seen) => {
    let milliseconds = Number.NaN;
    const pages = await pagesRead(log.database, async (store) => {
      milliseconds = await untilFirstBatch(store, log);
    });
    seen['pages'] = pages;
    return milliseconds;
  },
});

async function untilFirstBatch(store: Store, { runId }: StoredLongLog): Promise<number> {
  const plan = longLogPlan();
  const first = Promise.withResolvers<number>();
  const onRecorded = (events: readonly RecordedEvent[]) => {
    if (events.some(({ type }) => type === 'BatchStarted')) first.resolve(performance.now());
  };
  const started = performance.now();
  const run = await resumePipeline(store, plan, { runId, seize: false, acceptedChanges: [], concurrency: {}, skip: [], onRecorded });
  const driving = run.drive();
  const milliseconds = (await first.promise) - started;
  run.stop({ kind: 'pause', reason: 'asked', message: 'measured', step: null, actor: { user: 'bench', host: 'bench', pid: 1 } });
  await driving;
  return milliseconds;
}
