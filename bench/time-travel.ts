import { graph, type GraphState } from '../projections/index.ts';
import { parseInstant } from '../src/kit/instant.ts';
import { foldAt, resolveAsOf, runLogId } from '../src/log/index.ts';
import type { Area, Comparison } from './area.ts';
import { longLogs, sizeName, type StoredLongLog } from './long-logs.ts';
import { pagesRead } from './pages-read.ts';
import { inTurns, type Runner } from './rounds.ts';

/** Positions that are looked at in a round. */
const looks = 200;
const quickLooks = 20;
/** Of so many looks, one may be slower than what is reported. */
const percentile = 0.99;

/** The state of the graph as of random positions and times of logs of different sizes, and the price of a full replay. */
export const timeTravel: Area = {
  name: 'time-travel',
  does: 'the graph as of a random position, on logs from small to large',
  run: async (bench) => {
    const { rounds, isQuick, say } = bench;
    const logs = await longLogs(bench);
    const count = isQuick ? quickLooks : looks;
    const atPosition = await inTurns(
      logs.map((log) => looksAt(log, count, positionRandomly)),
      rounds,
      say,
    );
    const atTime = await inTurns(
      logs.map((log) => looksAt(log, count, timeRandomly)),
      rounds,
      say,
    );
    const replay = await inTurns(logs.map(replayed), 1, say);
    const [smallest] = logs;
    const base = smallest && sizeName(smallest);
    const common = { unit: 'ms (p99)', better: 'lower', base } as const;
    return [
      { ...common, what: 'graph as of a position', contestants: atPosition },
      { ...common, what: 'graph as of a time', contestants: atTime },
      {
        what: 'writing such a log, with its snapshots, 1,000 events an append',
        unit: 'µs/event',
        better: 'lower',
        base,
        contestants: logs.map((log) => ({ name: sizeName(log), figures: [log.microsecondsPerEvent] })),
      },
      { what: 'graph of the head by full replay', unit: 'ms', better: 'lower', base, contestants: replay },
    ] satisfies Comparison[];
  },
};

type Look = (log: StoredLongLog) => Promise<number>;

const positionRandomly: Look = async ({ position }) => 1 + Math.floor(Math.random() * position);

/** A position that is found by its time. */
const timeRandomly: Look = async (log) => {
  const { store, runId } = log;
  const at = await store.log.asOf(runId, await positionRandomly(log));
  if (!at) throw new Error('a random position lies within the log');
  return (await resolveAsOf(store.log, runId, { kind: 'instant', instant: parseInstant(at.recordedAt) })).position;
};

function looksAt(log: StoredLongLog, count: number, look: Look): Runner {
  const { runId, database } = log;
  return {
    name: sizeName(log),
    run: async (_round, seen) => {
      const times: number[] = [];
      const pages = await pagesRead(database, async (store) => {
        for (let index = 0; index < count; index++) {
          const started = performance.now();
          const state = await foldAt(store, graph, runLogId(runId), await look({ ...log, store }));
          times.push(performance.now() - started);
          requireRunning(state);
        }
      });
      times.sort((a, b) => a - b);
      seen['p50 ms'] = times[Math.floor(count / 2)] ?? 0;
      seen['pages a look'] = Math.round(pages / count);
      return times[Math.ceil(count * percentile) - 1] ?? Number.NaN;
    },
  };
}

const replayed = (log: StoredLongLog): Runner => ({
  name: sizeName(log),
  run: async () => {
    const { store, runId, position } = log;
    const started = performance.now();
    const without = {
      log: store.log,
      snapshots: { ...store.snapshots, nearest: async (wanted: readonly unknown[]) => wanted.map(() => null) },
    };
    requireRunning(await foldAt(without, graph, runLogId(runId), position));
    return performance.now() - started;
  },
});

function requireRunning({ status }: GraphState): void {
  if (status !== 'running' && status !== 'paused') throw new Error(`the run is ${status}`);
}
