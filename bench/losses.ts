import fs from 'node:fs';
import path from 'node:path';
import type { Area, Bench, Comparison, Contestant } from './area.ts';
import { withFolder } from './folder.ts';
import { ownProcess, type Told } from './measured-process.ts';
import { requireVerified } from './require-verified.ts';

const sizes = [20_000, 200_000];
const quickSizes = [200, 2_000];

/** Commands of one run, in this order: the retry ends what the others before it read. */
const actions = ['run', 'export before', 'errors --all', 'errors --export', 'retry', 'export after'] as const;
type Action = (typeof actions)[number];

/** How long runs take that lose half of their rows, and what is done with them afterwards, and in how much memory. */
export const losses: Area = {
  name: 'losses',
  does: 'errors, retry and exports of runs whose rows are rejected by half',
  run: async (bench) => {
    const { isQuick, rounds, say } = bench;
    const measured = new Map<string, Told[]>();
    const allSizes = isQuick ? quickSizes : sizes;
    for (let round = 0; round < rounds; round++) {
      for (const rows of round % 2 === 0 ? allSizes : allSizes.toReversed()) {
        for (const [action, told] of await measureRun(bench, rows)) {
          measured.set(keyOf(action, rows), [...(measured.get(keyOf(action, rows)) ?? []), told]);
          say(`  round ${round + 1} of ${rounds}: ${action} of ${formatRows(rows)}: ${told.seconds.toFixed(1)} s, ${told.peakMb} MB`);
        }
      }
    }
    const toldOf = (action: Action, rows: number) => measured.get(keyOf(action, rows)) ?? [];
    return [
      ...actions.flatMap((action) => [byRows(action, allSizes, toldOf, 's'), byRows(action, allSizes, toldOf, 'MB')]),
      ...allSizes.map((rows) => byAction(rows, toldOf)),
    ];
  },
};

const program = new URL('losses-child.ts', import.meta.url);
const runId = 'half';

const keyOf = (action: Action, rows: number): string => `${action} ${rows}`;
const formatRows = (rows: number): string => `${rows.toLocaleString('en-US')} rows`;

/** Does everything with one run, each in a process of its own, and checks what came out. */
async function measureRun({ server }: Bench, rows: number): Promise<ReadonlyMap<Action, Told>> {
  const database = await server.database(`losses_${rows}`);
  try {
    const store = await database.store();
    return await withFolder(async (folder) => {
      const told = new Map<Action, Told>();
      for (const action of actions)
        told.set(action, await ownProcess(heapOf(action), program, [action, database.url, runId, rows, folder]));
      await requireVerified(store, runId);
      requireCount('export before', told.get('export before')?.rows, rows / 2);
      requireCount('export after', told.get('export after')?.rows, rows);
      requireCount('errors --export', linesOf(path.join(folder, 'lost.jsonl')), rows / 2);
      // Each row has a line for its place, one for its message and one for its input; a table stands above them.
      requireCount('errors --all', Math.floor((told.get('errors --all')?.rows ?? 0) / 3 / 10), Math.floor(rows / 2 / 10));
      return told;
    });
  } finally {
    await database.drop();
  }
}

const heapOf = (action: Action) => (action.startsWith('export') ? 'distiset' : 'run');

const linesOf = (file: string): number => fs.readFileSync(file, 'utf8').split('\n').length - 1;

function requireCount(what: string, found: number | undefined, wanted: number): void {
  if (found !== wanted) throw new Error(`${what} gave ${found}, and not ${wanted}`);
}

type ToldOf = (action: Action, rows: number) => readonly Told[];

/** Compares one action at several sizes. */
function byRows(action: Action, allSizes: readonly number[], toldOf: ToldOf, unit: 's' | 'MB'): Comparison {
  const contestants = allSizes.map(
    (rows): Contestant => ({
      name: formatRows(rows),
      figures: toldOf(action, rows).map(({ seconds, peakMb }) => (unit === 's' ? seconds : peakMb)),
    }),
  );
  return { what: `${unit === 's' ? 'time' : 'peak memory'} of ${action}`, unit, better: 'lower', base: contestants[0]?.name, contestants };
}

/** Compares the peak memory of all actions with that of the run. */
function byAction(rows: number, toldOf: ToldOf): Comparison {
  const contestants = actions.map((name): Contestant => ({ name, figures: toldOf(name, rows).map(({ peakMb }) => peakMb) }));
  return { what: `peak memory at ${formatRows(rows)}`, unit: 'MB', better: 'lower', base: 'run', contestants };
}
