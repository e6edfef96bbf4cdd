import { graph, type GraphState } from '../projections/index.ts';
import { parseInstant } from '../src/kit/instant.ts';
import { foldAt, resolveAsOf, runLogId } from '../src/log/index.ts';
import type { Area, Comparison } from './area.ts';
import { longLogs, sizeName, type StoredLongLog } from './long-logs.ts';
import { pagesRead } from './pages-read.ts';
import { runInTurns, type Runner } from './rounds.ts';

/** Positions that are read in a round. */
const reads = 200;
const quickReads = 20;
/** The reported percentile: one read in a hundred may be slower. */
const percentile = 0.99;

/** Measures the graph as of random positions and times of logs of different sizes, and the cost of a full replay. */
export const timeTravel: Area = {
  name: 'time-travel',
  description: 'the graph as of a random position, on logs of different sizes',
  run: async (bench) => {
    const { rounds, isQuick, reportProgress } = bench;
    const logs = await longLogs(bench);
    const count = isQuick ? quickReads : reads;
    const atPosition = await runInTurns(
      logs.map((log) => readRunner(log, count, randomPosition)),
      rounds,
      reportProgress,
    );
    const atTime = await runInTurns(
      logs.map((log) => readRunner(log, count, positionOfRandomTime)),
      rounds,
      reportProgress,
    );
    const replay = await runInTurns(logs.map(replayRunner), 1, reportProgress);
    const [smallest] = logs;
    const base = smallest && sizeName(smallest);
    const common = { unit: 'ms (p99)', better: 'lower', base } as const;
    return [
      { ...common, title: 'graph as of a position', contestants: atPosition },
      { ...common, title: 'graph as of a time', contestants: atTime },
      {
        title: 'writing such a log with its snapshots, 1,000 events per append',
        unit: 'µs/event',
        better: 'lower',
        base,
        contestants: logs.map((log) => ({ name: sizeName(log), figures: [log.microsecondsPerEvent] })),
      },
      { title: 'graph of the head by full replay', unit: 'ms', better: 'lower', base, contestants: replay },
    ] satisfies Comparison[];
  },
};

type ChoosePosition = (log: StoredLongLog) => Promise<number>;

const randomPosition: ChoosePosition = async ({ position }) => 1 + Math.floor(Math.random() * position);

/** Returns a random position, found by its time. */
const positionOfRandomTime: ChoosePosition = async (log) => {
  const { store, runId } = log;
  const at = await store.log.asOf(runId, await randomPosition(log));
  if (!at) throw new Error('The log has no event at a random position.');
  return (await resolveAsOf(store.log, runId, { kind: 'instant', instant: parseInstant(at.recordedAt) })).position;
};

function readRunner(log: StoredLongLog, count: number, choose: ChoosePosition): Runner {
  const { runId, database } = log;
  return {
    name: sizeName(log),
    run: async (_round, observations) => {
      const times: number[] = [];
      const pages = await pagesRead(database, async (store) => {
        for (let index = 0; index < count; index++) {
          const started = performance.now();
          const state = await foldAt(store, graph, runLogId(runId), await choose({ ...log, store }));
          times.push(performance.now() - started);
          requireRunning(state);
        }
      });
      times.sort((a, b) => a - b);
      observations['p50 ms'] = times[Math.floor(count / 2)] ?? 0;
      observations['pages per read'] = Math.round(pages / count);
      return times[Math.ceil(count * percentile) - 1] ?? Number.NaN;
    },
  };
}

const replayRunner = (log: StoredLongLog): Runner => ({
  name: sizeName(log),
  run: async () => {
    const { store, runId, position } = log;
    const started = performance.now();
    const storeWithoutSnapshots = {
      log: store.log,
      snapshots: { ...store.snapshots, nearest: async (specs: readonly unknown[]) => specs.map(() => null) },
    };
    requireRunning(await foldAt(storeWithoutSnapshots, graph, runLogId(runId), position));
    return performance.now() - started;
  },
});

function requireRunning({ status }: GraphState): void {
  if (status !== 'running' && status !== 'paused') throw new Error(`The run is ${status}, not running.`);
}
