import type { BenchServer } from '../server.ts';
import type { Told } from '../measured-process.ts';
import { keepPeak, type Runner } from '../rounds.ts';
import { ownRun, type OwnRun } from './own-run.ts';

/** Us, each time with a run in a database of its own. */
export const ownRunner = (
  server: BenchServer,
  { name, figure, ...run }: Omit<OwnRun, 'runId'> & Pick<Runner, 'name'> & { readonly figure: (told: Told) => number },
): Runner => ({
  name,
  run: async (_round, seen) => {
    const database = await server.database('engine');
    try {
      const told = await ownRun(database, { ...run, runId: run.pipeline });
      keepPeak(seen, told);
      return figure(told);
    } finally {
      await database.drop();
    }
  },
});
