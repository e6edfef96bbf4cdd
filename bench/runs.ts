import { z } from 'zod';
import { startPipeline } from '../src/engine/index.ts';
import { pipeline, plan } from '../src/pipeline/index.ts';
import { history } from '../src/cli/commands/history.ts';
import { runs as listRuns } from '../src/cli/commands/runs.ts';
import { status } from '../src/cli/commands/status.ts';
import type { CommandContext } from '../src/cli/context.ts';
import { copyRun } from '../test/postgres/many-runs.ts';
import type { Area, Bench } from './area.ts';
import { quietContext } from './quiet-context.ts';
import { runInTurns, type Runner } from './rounds.ts';

const sizes = [2_000, 10_000];
const quickSizes = [20, 100];

const pipelineName = 'small';

/** Measures commands that list runs, on stores with few and many runs. */
export const runs: Area = {
  name: 'runs',
  description: 'lists of runs and the newest run, in stores with few and many runs',
  run: async (bench) => {
    const stores = await storesWithRuns(bench);
    const [smallest] = stores;
    const comparisons = [];
    for (const [title, command] of commands) {
      const contestants = await runInTurns(
        stores.map((store) => commandRunner(store, command)),
        bench.rounds,
        bench.reportProgress,
      );
      comparisons.push({ title, unit: 'ms', better: 'lower', base: smallest?.name, contestants, note } as const);
    }
    return comparisons;
  },
};

const note = 'From opening the store to closing it, in one process. The start of Node.js is not counted.';

type Command = (context: CommandContext, store: string) => Promise<void>;

const commands: readonly (readonly [string, Command])[] = [
  ['runs', (context, store) => listRuns(context, { store })],
  ['history of one pipeline', (context, store) => history(context, pipelineName, { store })],
  ['status of the newest run', (context, store) => status(context, undefined, { store })],
];

interface StoreWithRuns {
  readonly name: string;
  readonly url: string;
}

async function storesWithRuns({ server, isQuick, reportProgress }: Bench): Promise<readonly StoreWithRuns[]> {
  const stores: StoreWithRuns[] = [];
  for (const count of isQuick ? quickSizes : sizes) {
    const database = await server.database(`runs_${count}`);
    const run = await startPipeline(await database.store(), smallPlan, { runId: pipelineName, seed: 1 });
    await run.drive();
    await copyRun((text) => database.sql(text), pipelineName, count - 1);
    const name = `${count.toLocaleString('en-US')} runs`;
    reportProgress(`  a store with ${name}`);
    stores.push({ name, url: database.url });
  }
  return stores;
}

const smallPlan = plan(
  pipeline(pipelineName, ({ source }) => {
    const rows = source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 10 }, (_, n) => ({ n })) });
    return { doubled: rows.map('doubled', { output: z.object({ twice: z.int() }), run: ({ n }) => ({ twice: 2 * n }) }) };
  }),
);

const commandRunner = ({ name, url }: StoreWithRuns, command: Command): Runner => ({
  name,
  run: async (_round, observations) => {
    let lines = 0;
    const context = quietContext((more) => (lines += more));
    const started = performance.now();
    await command(context, url);
    observations['lines'] = lines;
    return performance.now() - started;
  },
});
