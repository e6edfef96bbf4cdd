import { ownName, type Area, type Bench, type Comparison } from '../area.ts';
import { startChild } from '../prepared-child.ts';
import { runInTurns } from '../rounds.ts';
import type { BenchDatabase } from '../server.ts';
import { stepNames } from './engine.ts';
import { engines, ownNameByRow, type EngineEntry } from './engines.ts';

/** The sizes of openworkflow's own benchmark. */
const workflowsFull = 1_000;
const concurrency = 100;
const workflowsQuick = 50;

/** The task of a process that runs workflows. */
export interface StepsTask {
  readonly engine: string;
  readonly url: string;
  readonly workflows: number;
  /** Number of concurrent workflows. */
  readonly concurrency: number;
}

/** Explains the contestants. */
const note =
  'A workflow of distilog is a row. Its time includes reading the rows. The time of openworkflow and absurd does not include queueing workflows. ' +
  'Rows and WAL are everything that was written per step, including queueing.';

const program = new URL('steps-child.ts', import.meta.url);

/** Measures durable steps that do nothing: the cost of durability. */
export const steps: Area = {
  name: 'steps',
  description: 'durable workflows of four steps that do nothing, compared with engines for durable workflows',
  run: async (bench) => {
    const workflows = bench.isQuick ? workflowsQuick : workflowsFull;
    const runners = engines.map((engine) => ({
      name: engine.name,
      missing: engine.missing?.(),
      run: (_round: number, observations: Record<string, string | number>) => stepsPerSecond(bench, engine, workflows, observations),
    }));
    const contestants = await runInTurns(runners, bench.rounds, bench.reportProgress);
    const title = `${workflows} workflows × ${stepNames.length} steps, ${concurrency} at once`;
    const others = contestants.filter(({ name }) => name !== ownName && name !== ownNameByRow);
    const comparisonOf = (batches: string, own: string): Comparison => ({
      title: `${title}; ${ownName} in batches ${batches}`,
      unit: 'steps/s',
      better: 'higher',
      contestants: [...contestants.filter(({ name }) => name === own).map((ours) => ({ ...ours, name: ownName })), ...others],
    });
    return [{ ...comparisonOf('of the default size', ownName), note }, comparisonOf('of one row', ownNameByRow)];
  },
};

async function stepsPerSecond(
  { server }: Bench,
  { name }: EngineEntry,
  workflows: number,
  observations: Record<string, string | number>,
): Promise<number> {
  const database = await server.database(name);
  try {
    const child = await startChild<number>(program, { engine: name, url: database.url, workflows, concurrency } satisfies StepsTask);
    const before = await countWritten(database);
    const tookMs = await child.work();
    const after = await countWritten(database);
    const count = workflows * stepNames.length;
    observations['rows/step'] = (after.rows - before.rows) / count;
    observations['WAL bytes/step'] = (after.walBytes - before.walBytes) / count;
    return (count * 1_000) / tookMs;
  } finally {
    await database.drop();
  }
}

/** Counts the stored rows, and all bytes of WAL ever written. */
async function countWritten({ sql }: BenchDatabase): Promise<{ readonly rows: number; readonly walBytes: number }> {
  const { rows: wal } = await sql("select pg_current_wal_lsn() - '0/0' as bytes");
  const tables =
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')";
  const { rows: names } = await sql(tables);
  const counts = (names as readonly { readonly name: string }[]).map(({ name }) => `(select count(*) from ${name})`);
  const { rows } = await sql(`select ${counts.join(' + ')} as rows`);
  return { rows: Number(rows[0].rows), walBytes: Number(wal[0].bytes) };
}
