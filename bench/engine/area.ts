import { us, type Area, type Bench, type Comparison } from '../area.ts';
import { ownProcess, plainProcess, type Told } from '../measured-process.ts';
import { withFolder } from '../folder.ts';
import { median } from '../figures.ts';
import { pythonMissing, pythonProcess } from '../python.ts';
import { inTurns, keepPeak, type Runner } from '../rounds.ts';
import { runProgram } from './own-run.ts';
import { ownRunner } from './own-runner.ts';
import { missingPeers } from '../peers.ts';
import { heavyTail } from './heavy-tail.ts';
import { batchSize, callMs, callsInFlight, keptOf } from './pipelines.ts';

/** The engine as a whole: rows that cost nothing, how their cost grows, calls that take their time, and calls whose latency has a heavy tail. */
export const engine: Area = {
  name: 'engine',
  does: 'runs three trivial steps, calls that take 20 ms, and calls with a heavy tail, durable, compared with Distilabel and p-map',
  run: async (bench) => [await trivialRows(bench), await costOfRows(bench), await slowCalls(bench), ...(await heavyTail(bench))],
};

/** Rows that go in: of ours, and of Distilabel, which takes long. */
const sizes = { large: 1_000_000, distilabel: 100_000 } as const;
/** Rows at which their cost is looked at: in every round, and once, for that takes long. */
const costs = { often: [10_000, 100_000], once: [1_000_000, 3_000_000] } as const;
const quickCosts = { often: [1_000, 10_000], once: [] } as const;
const quickSizes = { large: 10_000, distilabel: 2_000 } as const;

async function trivialRows({ server, rounds, isQuick, say }: Bench): Promise<Comparison> {
  const { large, distilabel } = isQuick ? quickSizes : sizes;
  const contestants = await withFolder((home) =>
    inTurns(
      [
        ownRunner(server, { name: us, pipeline: 'trivial', rows: large, figure: ({ seconds }) => large / seconds }),
        inMemoryRunner(large),
        pMapRunner('trivial', large, ({ seconds }) => large / seconds),
        distilabelRunner(distilabel, home),
      ],
      rounds,
      say,
    ),
  );
  return {
    what: `${large.toLocaleString('en-US')} rows through three trivial steps`,
    unit: 'rows/s',
    better: 'higher',
    contestants,
    note: [
      `Batches of ${batchSize} rows. ${us} is durable, and its log is verified afterwards; in memory, it is our process's work without a database, a disk or compression. p-map keeps everything in memory and nothing after it.`,
      `Distilabel does ${distilabel.toLocaleString('en-US')} rows, as its cost grows with them; what it takes for a single batch, which is its start, is taken off in its favour.`,
    ].join('\n'),
  };
}

/** Our process's work alone: log and chunks in memory, uncompressed. */
const inMemoryRunner = (rows: number): Runner => ({
  name: `${us}, in memory`,
  run: async (_round, seen) => {
    const told = await ownProcess('run', runProgram, ['trivial', '', 'trivial', rows]);
    keepPeak(seen, told);
    return rows / told.seconds;
  },
});

const pMapProgram = new URL('p-map-child.ts', import.meta.url);

/** The same over arrays: what durability costs. */
const pMapRunner = (pipeline: string, rows: number, figure: (told: Told) => number): Runner => ({
  name: 'p-map, nothing kept',
  missing: missingPeers(['p-map']),
  run: async (_round, seen) => {
    const told = await plainProcess(pMapProgram, [pipeline, rows]);
    const expected = pipeline === 'trivial' ? keptOf(rows) : rows;
    if (told.rows !== expected) throw new Error(`p-map made ${told.rows} rows, and should have made ${expected}`);
    keepPeak(seen, told);
    return figure(told);
  },
});

const distilabelProgram = new URL('distilabel_peer.py', import.meta.url);

function distilabelRunner(rows: number, home: string): Runner {
  const run = async (many: number): Promise<Told> => {
    const told = await pythonProcess(distilabelProgram, [many], home);
    if (told.rows !== keptOf(many)) throw new Error(`Distilabel made ${told.rows} rows, and should have made ${keptOf(many)}`);
    return told;
  };
  let start: Promise<Told> | undefined;
  return {
    name: 'Distilabel 1.5.3',
    missing: pythonMissing(),
    run: async (_round, seen) => {
      start ??= run(batchSize);
      const { seconds: startSeconds } = await start;
      const told = await run(rows);
      keepPeak(seen, told);
      seen['start, s'] = startSeconds;
      return (rows - batchSize) / (told.seconds - startSeconds);
    },
  };
}

async function costOfRows({ server, rounds, isQuick, say }: Bench): Promise<Comparison> {
  const runner = (rows: number) =>
    ownRunner(server, {
      name: `${us}, ${rows.toLocaleString('en-US')} rows`,
      pipeline: 'trivial',
      rows,
      figure: ({ seconds }) => (seconds / rows) * 1e6,
    });
  const { often, once } = isQuick ? quickCosts : costs;
  const contestants = [...(await inTurns(often.map(runner), rounds, say)), ...(await inTurns(once.map(runner), 1, say))];
  const first = median(contestants[0]?.figures ?? []);
  return {
    what: 'cost of a row, by how many there are',
    unit: 'µs/row',
    better: 'lower',
    contestants: contestants.map((contestant) => ({
      ...contestant,
      seen: { ...contestant.seen, 'of the smallest': `${(median(contestant.figures) / first).toFixed(2)} ×` },
    })),
    note: once.length > 0 ? 'Those of a million rows and more ran once.' : undefined,
  };
}

async function slowCalls({ server, rounds, isQuick, say }: Bench): Promise<Comparison> {
  const count = isQuick ? 300 : 5_000;
  const ideal = (count * callMs) / callsInFlight;
  const milliseconds = ({ seconds }: Told) => seconds * 1_000;
  const contestants = await inTurns(
    [
      ownRunner(server, { name: us, pipeline: 'calls', rows: count, figure: milliseconds }),
      pMapRunner('calls', count, milliseconds),
      { name: 'ideal', run: async () => ideal },
    ],
    rounds,
    say,
  );
  return {
    what: `${count.toLocaleString('en-US')} calls of ${callMs} ms, ${callsInFlight} in flight`,
    unit: 'ms',
    better: 'lower',
    contestants,
    note: `${us} has its default options but concurrency: ${callsInFlight}: a source's batches then have 100 rows, and a step has as many of them open as fill its calls.`,
  };
}
