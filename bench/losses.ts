import fs from 'node:fs';
import path from 'node:path';
import type { Area, Bench, Comparison, Contestant } from './area.ts';
import { withFolder } from './folder.ts';
import { ownProcess, type Measurement } from './measured-process.ts';
import { requireVerified } from './require-verified.ts';

const sizes = [20_000, 200_000];
const quickSizes = [200, 2_000];

/** Actions on one run, in this order: `retry` removes the losses that the actions before it read. */
const actions = ['run', 'export before', 'errors --all', 'errors --export', 'retry', 'export after'] as const;
type Action = (typeof actions)[number];

/** Measures time and memory of runs that reject half of their rows, and of errors, exports and a retry afterwards. */
export const losses: Area = {
  name: 'losses',
  description: 'errors, retry and exports of runs that reject half of their rows',
  run: async (bench) => {
    const { isQuick, rounds, reportProgress } = bench;
    const byKey = new Map<string, Measurement[]>();
    const allSizes = isQuick ? quickSizes : sizes;
    for (let round = 0; round < rounds; round++) {
      for (const rows of round % 2 === 0 ? allSizes : allSizes.toReversed()) {
        for (const [action, measurement] of await measureRun(bench, rows)) {
          byKey.set(keyOf(action, rows), [...(byKey.get(keyOf(action, rows)) ?? []), measurement]);
          reportProgress(
            `  round ${round + 1} of ${rounds}: ${action} of ${formatRows(rows)}: ${measurement.seconds.toFixed(1)} s, ${measurement.peakMb} MB`,
          );
        }
      }
    }
    const measurementsOf = (action: Action, rows: number) => byKey.get(keyOf(action, rows)) ?? [];
    return [
      ...actions.flatMap((action) => [byRows(action, allSizes, measurementsOf, 's'), byRows(action, allSizes, measurementsOf, 'MB')]),
      ...allSizes.map((rows) => byAction(rows, measurementsOf)),
    ];
  },
};

const program = new URL('losses-child.ts', import.meta.url);
const runId = 'half';

const keyOf = (action: Action, rows: number): string => `${action} ${rows}`;
const formatRows = (rows: number): string => `${rows.toLocaleString('en-US')} rows`;

/** Runs all actions on one run, each in a process of its own, and checks their results. */
async function measureRun({ server }: Bench, rows: number): Promise<ReadonlyMap<Action, Measurement>> {
  const database = await server.database(`losses_${rows}`);
  try {
    const store = await database.store();
    return await withFolder(async (folder) => {
      const measurements = new Map<Action, Measurement>();
      for (const action of actions)
        measurements.set(action, await ownProcess(heapOf(action), program, [action, database.url, runId, rows, folder]));
      await requireVerified(store, runId);
      requireCount('export before', measurements.get('export before')?.rows, rows / 2);
      requireCount('export after', measurements.get('export after')?.rows, rows);
      requireCount('errors --export', linesOf(path.join(folder, 'lost.jsonl')), rows / 2);
      // Each row has a line for its place, one for its message and one for its input; a table stands above them.
      requireCount('errors --all', Math.floor((measurements.get('errors --all')?.rows ?? 0) / 3 / 10), Math.floor(rows / 2 / 10));
      return measurements;
    });
  } finally {
    await database.drop();
  }
}

const heapOf = (action: Action) => (action.startsWith('export') ? 'distiset' : 'run');

const linesOf = (file: string): number => fs.readFileSync(file, 'utf8').split('\n').length - 1;

function requireCount(title: string, found: number | undefined, wanted: number): void {
  if (found !== wanted) throw new Error(`${title} returned ${found} instead of ${wanted}.`);
}

type MeasurementsOf = (action: Action, rows: number) => readonly Measurement[];

/** Compares one action at several sizes. */
function byRows(action: Action, allSizes: readonly number[], measurementsOf: MeasurementsOf, unit: 's' | 'MB'): Comparison {
  const contestants = allSizes.map(
    (rows): Contestant => ({
      name: formatRows(rows),
      figures: measurementsOf(action, rows).map(({ seconds, peakMb }) => (unit === 's' ? seconds : peakMb)),
    }),
  );
  return { title: `${unit === 's' ? 'time' : 'peak memory'} of ${action}`, unit, better: 'lower', base: contestants[0]?.name, contestants };
}

/** Compares the peak memory of all actions with that of the run. */
function byAction(rows: number, measurementsOf: MeasurementsOf): Comparison {
  const contestants = actions.map((name): Contestant => ({ name, figures: measurementsOf(name, rows).map(({ peakMb }) => peakMb) }));
  return { title: `peak memory at ${formatRows(rows)}`, unit: 'MB', better: 'lower', base: 'run', contestants };
}
