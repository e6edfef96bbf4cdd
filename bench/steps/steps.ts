import { us, type Area, type Bench, type Comparison } from '../area.ts';
import { startChild } from '../prepared-child.ts';
import { inTurns } from '../rounds.ts';
import type { BenchDatabase } from '../server.ts';
import { stepNames } from './engine.ts';
import { engines, usByRow, type EngineEntry } from './engines.ts';

/** As in openworkflow's own benchmark. */
const workflowsFull = 1_000;
const concurrency = 100;
const workflowsQuick = 50;

/** What a process that runs workflows is told. */
export interface StepsTask {
  readonly engine: string;
  readonly url: string;
  readonly workflows: number;
  /** Under way at once. */
  readonly concurrency: number;
}

/** What a reader has to know of what is compared. */
const note =
  'A workflow of ours is a row. Our time includes reading the rows; that of openworkflow and absurd does not include queueing workflows. ' +
  'Rows and WAL are all that was written, per step, queueing included.';

const program = new URL('steps-child.ts', import.meta.url);

/** Durable steps that do nothing: what it costs that they are durable. */
export const steps: Area = {
  name: 'steps',
  does: 'runs workflows of four steps that do nothing, durably, beside engines for durable workflows',
  run: async (bench) => {
    const workflows = bench.isQuick ? workflowsQuick : workflowsFull;
    const runners = engines.map((engine) => ({
      name: engine.name,
      missing: engine.missing?.(),
      run: (_round: number, seen: Record<string, string | number>) => stepsPerSecond(bench, engine, workflows, seen),
    }));
    const contestants = await inTurns(runners, bench.rounds, bench.say);
    const what = `${workflows} workflows × ${stepNames.length} steps, ${concurrency} at once`;
    const others = contestants.filter(({ name }) => name !== us && name !== usByRow);
    const beside = (how: string, own: string): Comparison => ({
      what: `${what}; ours in batches ${how}`,
      unit: 'steps/s',
      better: 'higher',
      contestants: [...contestants.filter(({ name }) => name === own).map((ours) => ({ ...ours, name: us })), ...others],
    });
    return [{ ...beside('as they come', us), note }, beside('of one row', usByRow)];
  },
};

async function stepsPerSecond(
  { server }: Bench,
  { name }: EngineEntry,
  workflows: number,
  seen: Record<string, string | number>,
): Promise<number> {
  const database = await server.database(name);
  try {
    const child = await startChild<number>(program, { engine: name, url: database.url, workflows, concurrency } satisfies StepsTask);
    const before = await written(database);
    const tookMs = await child.go();
    const after = await written(database);
    const count = workflows * stepNames.length;
    seen['rows/step'] = (after.rows - before.rows) / count;
    seen['WAL bytes/step'] = (after.walBytes - before.walBytes) / count;
    return (count * 1_000) / tookMs;
  } finally {
    await database.drop();
  }
}

/** Rows that are stored, and bytes of WAL that were ever written. */
async function written({ sql }: BenchDatabase): Promise<{ readonly rows: number; readonly walBytes: number }> {
  const { rows: wal } = await sql("select pg_current_wal_lsn() - '0/0' as bytes");
  const tables =
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')";
  const { rows: names } = await sql(tables);
  const counts = (names as readonly { readonly name: string }[]).map(({ name }) => `(select count(*) from ${name})`);
  const { rows } = await sql(`select ${counts.join(' + ')} as rows`);
  return { rows: Number(rows[0].rows), walBytes: Number(wal[0].bytes) };
}
