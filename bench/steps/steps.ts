import type { Area, Bench } from '../area.ts';
import { startChild } from '../children.ts';
import { inTurns } from '../rounds.ts';
import type { BenchDatabase } from '../server.ts';
import { stepNames } from './engine.ts';
import { engines, type EngineEntry } from './engines.ts';

/** As in openworkflow's own benchmark. */
const workflowsFull = 1_000;
export const concurrency = 100;
const workflowsQuick = 50;

/** What a process that runs workflows is told. */
export interface StepsTask {
  readonly engine: string;
  readonly url: string;
  readonly workflows: number;
}

const program = new URL('steps-child.ts', import.meta.url);

/** Durable steps that do nothing: what it costs that they are durable. */
export const steps: Area = {
  name: 'steps',
  does: 'runs workflows of four steps that do nothing, durably, beside engines for durable workflows',
  run: async (bench) => {
    const workflows = bench.isQuick ? workflowsQuick : workflowsFull;
    const runners = engines.map((engine) => ({
      name: engine.name,
      missing: engine.missing,
      run: (_round: number, seen: Record<string, string | number>) => stepsPerSecond(bench, engine, workflows, seen),
    }));
    return [
      {
        what: `${workflows} workflows × ${stepNames.length} steps, ${concurrency} at once`,
        unit: 'steps/s',
        better: 'higher',
        contestants: await inTurns(runners, bench.rounds, bench.say),
        note: 'For us a workflow is a row; our time includes reading the rows, and the others’ does not include queueing them.',
      },
    ];
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
    const child = await startChild<number>(program, { engine: name, url: database.url, workflows } satisfies StepsTask);
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
