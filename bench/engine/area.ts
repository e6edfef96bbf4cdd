import { ownName, type Area, type Bench, type Comparison } from '../area.ts';
import { ownProcess, plainProcess, type Measurement } from '../measured-process.ts';
import { withFolder } from '../folder.ts';
import { median } from '../figures.ts';
import { pythonMissing, pythonProcess } from '../python.ts';
import { runInTurns, keepPeak, type Runner } from '../rounds.ts';
import { runProgram } from './own-run.ts';
import { ownRunner } from './own-runner.ts';
import { missingPeers } from '../peers.ts';
import { heavyTail } from './heavy-tail.ts';
import { batchSize, callMs, callsInFlight, keptOf } from './pipelines.ts';

/** Measures the whole engine: trivial rows, their cost by number of rows, slow calls, and calls whose latency has a heavy tail. */
export const engine: Area = {
  name: 'engine',
  description: 'trivial rows, calls of 20 ms and calls with a heavy tail, durable, compared with Distilabel and p-map',
  run: async (bench) => [await trivialRows(bench), await costOfRows(bench), await slowCalls(bench), ...(await heavyTail(bench))],
};

/** Input rows of distilog, and of Distilabel, which is slow. */
const sizes = { large: 1_000_000, distilabel: 100_000 } as const;
/** Numbers of rows at which the cost per row is measured: in every round, or only once, because they take long. */
const costs = { often: [10_000, 100_000], once: [1_000_000, 3_000_000] } as const;
const quickCosts = { often: [1_000, 10_000], once: [] } as const;
const quickSizes = { large: 10_000, distilabel: 2_000 } as const;

async function trivialRows({ server, rounds, isQuick, reportProgress }: Bench): Promise<Comparison> {
  const { large, distilabel } = isQuick ? quickSizes : sizes;
  const contestants = await withFolder((home) =>
    runInTurns(
      [
        ownRunner(server, { name: ownName, pipeline: 'trivial', rows: large, figure: ({ seconds }) => large / seconds }),
        inMemoryRunner(large),
        pMapRunner('trivial', large, ({ seconds }) => large / seconds),
        distilabelRunner(distilabel, home),
      ],
      rounds,
      reportProgress,
    ),
  );
  return {
    title: `${large.toLocaleString('en-US')} rows through three trivial steps`,
    unit: 'rows/s',
    better: 'higher',
    contestants,
    note: [
      `Batches of ${batchSize} rows. ${ownName} is durable, and its log is verified afterwards. In memory: only the work of its process, without a database, a disk or compression. p-map keeps all rows in memory and stores nothing.`,
      `Distilabel does ${distilabel.toLocaleString('en-US')} rows, because its cost per row grows with their number. The time of a run with a single batch is subtracted, in its favour, because that is its start.`,
    ].join('\n'),
  };
}

/** Returns a runner without a database: log and chunks are in memory, uncompressed. */
const inMemoryRunner = (rows: number): Runner => ({
  name: `${ownName}, in memory`,
  run: async (_round, observations) => {
    const measurement = await ownProcess('run', runProgram, ['trivial', '', 'trivial', rows]);
    keepPeak(observations, measurement);
    return rows / measurement.seconds;
  },
});

const pMapProgram = new URL('p-map-child.ts', import.meta.url);

/** Returns a runner of the same work over arrays, which shows the cost of durability. */
const pMapRunner = (pipeline: string, rows: number, figure: (measurement: Measurement) => number): Runner => ({
  name: 'p-map, in memory',
  missing: missingPeers(['p-map']),
  run: async (_round, observations) => {
    const measurement = await plainProcess(pMapProgram, [pipeline, rows]);
    const expected = pipeline === 'trivial' ? keptOf(rows) : rows;
    if (measurement.rows !== expected) throw new Error(`p-map returned ${measurement.rows} rows instead of ${expected}.`);
    keepPeak(observations, measurement);
    return figure(measurement);
  },
});

const distilabelProgram = new URL('distilabel_peer.py', import.meta.url);

function distilabelRunner(rows: number, home: string): Runner {
  const run = async (inputRows: number): Promise<Measurement> => {
    const measurement = await pythonProcess(distilabelProgram, [inputRows], home);
    if (measurement.rows !== keptOf(inputRows))
      throw new Error(`Distilabel returned ${measurement.rows} rows instead of ${keptOf(inputRows)}.`);
    return measurement;
  };
  let start: Promise<Measurement> | undefined;
  return {
    name: 'Distilabel 1.5.3',
    missing: pythonMissing(),
    run: async (_round, observations) => {
      start ??= run(batchSize);
      const { seconds: startSeconds } = await start;
      const measurement = await run(rows);
      keepPeak(observations, measurement);
      observations['start in s'] = startSeconds;
      return (rows - batchSize) / (measurement.seconds - startSeconds);
    },
  };
}

async function costOfRows({ server, rounds, isQuick, reportProgress }: Bench): Promise<Comparison> {
  const runner = (rows: number) =>
    ownRunner(server, {
      name: `${ownName}, ${rows.toLocaleString('en-US')} rows`,
      pipeline: 'trivial',
      rows,
      figure: ({ seconds }) => (seconds / rows) * 1e6,
    });
  const { often, once } = isQuick ? quickCosts : costs;
  const contestants = [
    ...(await runInTurns(often.map(runner), rounds, reportProgress)),
    ...(await runInTurns(once.map(runner), 1, reportProgress)),
  ];
  const first = median(contestants[0]?.figures ?? []);
  return {
    title: 'cost per row, by number of rows',
    unit: 'µs/row',
    better: 'lower',
    contestants: contestants.map((contestant) => ({
      ...contestant,
      observations: { ...contestant.observations, 'relative to the smallest': `${(median(contestant.figures) / first).toFixed(2)} ×` },
    })),
    note: once.length > 0 ? 'Runs of a million rows and more are measured once.' : undefined,
  };
}

async function slowCalls({ server, rounds, isQuick, reportProgress }: Bench): Promise<Comparison> {
  const count = isQuick ? 300 : 5_000;
  const ideal = (count * callMs) / callsInFlight;
  const milliseconds = ({ seconds }: Measurement) => seconds * 1_000;
  const contestants = await runInTurns(
    [
      ownRunner(server, { name: ownName, pipeline: 'calls', rows: count, figure: milliseconds }),
      pMapRunner('calls', count, milliseconds),
      { name: 'ideal', run: async () => ideal },
    ],
    rounds,
    reportProgress,
  );
  return {
    title: `${count.toLocaleString('en-US')} calls of ${callMs} ms, ${callsInFlight} in flight`,
    unit: 'ms',
    better: 'lower',
    contestants,
    note: `${ownName} has its default options, except concurrency: ${callsInFlight}. A source's batches then have 100 rows, and a step has as many of them open as its calls need.`,
  };
}
