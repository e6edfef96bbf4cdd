import { ownName, type Bench, type Comparison } from '../area.ts';
import { withFolder } from '../folder.ts';
import { plainProcess, type Measurement } from '../measured-process.ts';
import { missingPeers } from '../peers.ts';
import { pythonMissing, pythonProcess } from '../python.ts';
import { runInTurns, keepPeak, type Runner } from '../rounds.ts';
import { ownRunner } from './own-runner.ts';

/** Calls in flight, rows in a batch, and number of steps in a chain. */
interface Setting {
  readonly inFlight: number;
  readonly batchSize: number;
  readonly steps: number;
}

/** Rows of a run of distilog, and of Distilabel, which is slow. */
const sizes = { own: 8_000, distilabel: 1_600 } as const;
const quickSizes = { own: 400, distilabel: 0 } as const;
const distilabelSetting: Setting = { inFlight: 200, batchSize: 200, steps: 1 };

/**
 * Measures calls whose latency has a heavy tail, like those of language models: at least 0.3 s, 0.7 s on average, at most 18 s. Each setting takes as long as
 * its calls, so each is measured once, whatever the number of rounds.
 */
export async function heavyTail(bench: Bench): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const inFlight of bench.isQuick ? [100] : [100, 200, 1_000]) {
    for (const steps of bench.isQuick ? [1] : [1, 3]) comparisons.push(await compareSetting(bench, inFlight, steps));
  }
  return comparisons;
}

async function compareSetting({ server, isQuick, reportProgress }: Bench, inFlight: number, steps: number): Promise<Comparison> {
  const { own: rows, distilabel } = isQuick ? quickSizes : sizes;
  const perSecond = (count: number) => (measurement: Measurement) => count / measurement.seconds;
  const own = (batchSize: number) =>
    ownRunner(server, {
      name: batchSize === 100 ? ownName : `${ownName}, batches of ${batchSize.toLocaleString('en-US')}`,
      pipeline: 'heavy-tail',
      rows,
      options: [inFlight, batchSize, steps],
      figure: perSecond(rows),
    });
  const withDistilabel = distilabel > 0 && inFlight === distilabelSetting.inFlight && steps === distilabelSetting.steps;
  const contestants = await runInTurns(
    [
      ...(isQuick ? [100] : [100, 10, 1_000]).map(own),
      pool(rows, { inFlight, batchSize: 0, steps }, perSecond(rows)),
      ...(withDistilabel ? [distilabelRunner(distilabel)] : []),
    ],
    1,
    reportProgress,
  );
  return {
    title: `calls with a heavy tail, ${inFlight.toLocaleString('en-US')} in flight, ${steps === 1 ? 'one step' : `a chain of ${steps}`}`,
    unit: 'rows/s',
    better: 'higher',
    contestants,
    note:
      `${rows.toLocaleString('en-US')} rows${steps === 1 ? '' : ', each with a call in each step'}. p-map is a plain pool: it stores nothing, and each row goes from call to call on its own` +
      (withDistilabel ? `. Distilabel does ${distilabel.toLocaleString('en-US')} rows in batches of ${distilabelSetting.batchSize}.` : '.'),
  };
}

const poolProgram = new URL('p-map-child.ts', import.meta.url);

const pool = (rows: number, { inFlight, steps }: Setting, figure: (measurement: Measurement) => number): Runner => ({
  name: 'p-map, in memory',
  missing: missingPeers(['p-map']),
  run: async (_round, observations) => {
    const measurement = await plainProcess(poolProgram, ['heavy-tail', rows, inFlight, steps]);
    if (measurement.rows !== rows) throw new Error(`p-map returned ${measurement.rows} rows instead of ${rows}.`);
    keepPeak(observations, measurement);
    return figure(measurement);
  },
});

const distilabelProgram = new URL('distilabel_tail_peer.py', import.meta.url);

const distilabelRunner = (rows: number): Runner => ({
  name: 'Distilabel 1.5.3',
  missing: pythonMissing(),
  run: async (_round, observations) => {
    const measurement = await withFolder((home) => pythonProcess(distilabelProgram, [rows, distilabelSetting.batchSize], home));
    if (measurement.rows !== rows) throw new Error(`Distilabel returned ${measurement.rows} rows instead of ${rows}.`);
    keepPeak(observations, measurement);
    return rows / measurement.seconds;
  },
});
