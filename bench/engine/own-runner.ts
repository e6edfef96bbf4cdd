import type { BenchServer } from '../server.ts';
import type { Measurement } from '../measured-process.ts';
import { keepPeak, type Runner } from '../rounds.ts';
import { ownRun, type OwnRun } from './own-run.ts';

/** Returns a runner of distilog, which makes each run in a new database. */
export const ownRunner = (
  server: BenchServer,
  { name, figure, ...run }: Omit<OwnRun, 'runId'> & Pick<Runner, 'name'> & { readonly figure: (measurement: Measurement) => number },
): Runner => ({
  name,
  run: async (_round, observations) => {
    const database = await server.database('engine');
    try {
      const measurement = await ownRun(database, { ...run, runId: run.pipeline });
      keepPeak(observations, measurement);
      return figure(measurement);
    } finally {
      await database.drop();
    }
  },
});
