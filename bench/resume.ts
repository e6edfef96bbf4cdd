import { resumePipeline } from '../src/engine/index.ts';
import type { Store } from '../src/log/index.ts';
import type { RecordedEvent } from '../schema/index.ts';
import type { Area } from './area.ts';
import { longLogPlan } from './long-log.ts';
import { longLogs, sizeName, type StoredLongLog } from './long-logs.ts';
import { pagesRead } from './pages-read.ts';
import { requireVerified } from './require-verified.ts';
import { runInTurns, type Runner } from './rounds.ts';

/** Measures the time from the resume of a lost run to its next batch, on logs of different sizes. */
export const resume: Area = {
  name: 'resume',
  description: 'time from resume to the first new batch, on logs of different sizes',
  run: async (bench) => {
    const logs = await longLogs(bench);
    const contestants = await runInTurns(logs.map(resumeRunner), bench.rounds, bench.reportProgress);
    for (const { store, runId } of logs) await requireVerified(store, runId);
    const [smallest] = logs;
    return [
      {
        title: 'resume to the first new batch',
        unit: 'ms',
        better: 'lower',
        base: smallest && sizeName(smallest),
        contestants,
        note: 'Includes a new connection, the fold, and the takeover with its events, until BatchStarted is durable.',
      },
    ];
  },
};

const resumeRunner = (log: StoredLongLog): Runner => ({
  name: sizeName(log),
  run: async (_round, observations) => {
    let milliseconds = Number.NaN;
    const pages = await pagesRead(log.database, async (store) => {
      milliseconds = await measureFirstBatch(store, log);
    });
    observations['pages'] = pages;
    return milliseconds;
  },
});

async function measureFirstBatch(store: Store, { runId }: StoredLongLog): Promise<number> {
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
