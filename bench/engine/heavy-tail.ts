import { us, type Bench, type Comparison } from '../area.ts';
import { withFolder } from '../folder.ts';
import { plainProcess, type Told } from '../measured-process.ts';
import { missingPeers } from '../peers.ts';
import { pythonMissing, pythonProcess } from '../python.ts';
import { inTurns, keepPeak, type Runner } from '../rounds.ts';
import { ownRunner } from './own-runner.ts';

/** Calls in flight, rows in a batch, and steps one after the other. */
interface Setting {
  readonly inFlight: number;
  readonly batchSize: number;
  readonly steps: number;
}

/** Rows of a run, and of one of Distilabel, which takes long. */
const sizes = { own: 8_000, distilabel: 1_600 } as const;
const quickSizes = { own: 400, distilabel: 0 } as const;
const distilabelSetting: Setting = { inFlight: 200, batchSize: 200, steps: 1 };

/**
 * Measures calls whose latency has a heavy tail, as those of language models have: 0.3 s at least, 0.7 s in the mean, 18 s at most. Each setting takes as
 * long as its calls do, so each is measured once, whatever the rounds.
 */
export async function heavyTail(bench: Bench): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const inFlight of bench.isQuick ? [100] : [100, 200, 1_000]) {
    for (const steps of bench.isQuick ? [1] : [1, 3]) comparisons.push(await compared(bench, inFlight, steps));
  }
  return comparisons;
}

async function compared({ server, isQuick, say }: Bench, inFlight: number, steps: number): Promise<Comparison> {
  const { own: rows, distilabel } = isQuick ? quickSizes : sizes;
  const perSecond = (count: number) => (told: Told) => count / told.seconds;
  const own = (batchSize: number) =>
    ownRunner(server, {
      name: batchSize === 100 ? us : `${us}, batches of ${batchSize.toLocaleString('en-US')}`,
      pipeline: 'heavy-tail',
      rows,
      options: [inFlight, batchSize, steps],
      figure: perSecond(rows),
    });
  const withDistilabel = distilabel > 0 && inFlight === distilabelSetting.inFlight && steps === distilabelSetting.steps;
  const contestants = await inTurns(
    [
      ...(isQuick ? [100] : [100, 10, 1_000]).map(own),
      pool(rows, { inFlight, batchSize: 0, steps }, perSecond(rows)),
      ...(withDistilabel ? [distilabelRunner(distilabel)] : []),
    ],
    1,
    say,
  );
  return {
    what: `calls with a heavy tail, ${inFlight.toLocaleString('en-US')} in flight, ${steps === 1 ? 'one step' : `a chain of ${steps}`}`,
    unit: 'rows/s',
    better: 'higher',
    contestants,
    note:
      `${rows.toLocaleString('en-US')} rows${steps === 1 ? '' : ', each with a call in each step'}. p-map is a plain pool: it keeps nothing, and each row goes from call to call by itself` +
      (withDistilabel ? `. Distilabel does ${distilabel.toLocaleString('en-US')} rows in batches of ${distilabelSetting.batchSize}.` : '.'),
  };
}

const poolProgram = new URL('p-map-child.ts', import.meta.url);

const pool = (rows: number, { inFlight, steps }: Setting, figure: (told: Told) => number): Runner => ({
  name: 'p-map, nothing kept',
  missing: missingPeers(['p-map']),
  run: async (_round, seen) => {
    const told = await plainProcess(poolProgram, ['heavy-tail', rows, inFlight, steps]);
    if (told.rows !== rows) throw new Error(`p-map made ${told.rows} rows, and should have made ${rows}`);
    keepPeak(seen, told);
    return figure(told);
  },
});

const distilabelProgram = new URL('distilabel_tail_peer.py', import.meta.url);

const distilabelRunner = (rows: number): Runner => ({
  name: 'Distilabel 1.5.3',
  missing: pythonMissing(),
  run: async (_round, seen) => {
    const told = await withFolder((home) => pythonProcess(distilabelProgram, [rows, distilabelSetting.batchSize], home));
    if (told.rows !== rows) throw new Error(`Distilabel made ${told.rows} rows, and should have made ${rows}`);
    keepPeak(seen, told);
    return rows / told.seconds;
  },
});
