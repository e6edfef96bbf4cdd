import { createDistiset } from '../src/distiset/index.ts';
import { startPipeline } from '../src/engine/index.ts';
import { canonicalJson } from '../src/kit/json.ts';
import { resolveAsOf, type Store } from '../src/log/index.ts';
import { plan } from '../src/pipeline/index.ts';
import { wordnet, type Entry } from '../examples/wordnet.ts';
import type { Area, Bench, Comparison, Contestant } from './area.ts';
import { answers, prose, type ProseOptions } from './prose.ts';
import { requireVerified } from './require-verified.ts';
import type { BenchDatabase } from './server.ts';

/** Number of entries of WordNet, which has 82,000 nouns. */
const rows = 20_000;
const quickRows = 1_000;

/** Measures the bytes that a run leaves in the database, relative to its dataset as JSON lines. */
export const storage: Area = {
  name: 'storage',
  description: 'bytes of each table, each index and the write-ahead log, for a pipeline of four steps',
  run: async (bench) => {
    const entries = await Array.fromAsync(wordnet({ limit: bench.isQuick ? quickRows : rows }));
    const variants = [
      { glosses: answers.long, batchSize: 100 },
      { glosses: answers.long, batchSize: 1_000 },
      { glosses: answers.short, batchSize: 100 },
    ];
    const comparisons: Comparison[] = [];
    for (const variant of variants) comparisons.push(await measureStorage(bench, entries, variant));
    return comparisons;
  },
};

async function measureStorage({ server }: Bench, entries: readonly Entry[], variant: ProseOptions): Promise<Comparison> {
  const database = await server.database('storage');
  const store = await database.store();
  const before = await walPosition(database);
  const run = await startPipeline(store, plan(prose(entries, variant)), { seed: 1 });
  const { rest } = await run.drive();
  if (rest !== 'succeeded') throw new Error(`The run ended as ${rest}, not succeeded.`);
  const walBytes = (await walPosition(database)) - before;
  await requireVerified(store, run.runId);
  const json = await leafJson(store, run.runId);
  const relations = await relationBytes(database);
  await database.drop();
  const all = 'all tables and indexes';
  const perRow = (name: string, bytes: number): Contestant => ({
    name,
    figures: [bytes / json.rows],
    observations: { 'relative to JSON lines': `${((100 * bytes) / json.bytes).toFixed(1)} %` },
  });
  return {
    title: `${json.rows.toLocaleString('en-US')} rows of ${Math.round(json.bytes / json.rows).toLocaleString('en-US')} bytes, ${variant.batchSize.toLocaleString('en-US')} per batch`,
    unit: 'bytes/row',
    better: 'lower',
    base: all,
    contestants: [
      perRow('leaf rows as JSON lines', json.bytes),
      perRow(
        all,
        relations.reduce((sum, { bytes }) => sum + bytes, 0),
      ),
      perRow('write-ahead log', walBytes),
      ...relations.map(({ name, bytes }) => perRow(name, bytes)),
    ],
  };
}

async function leafJson(store: Store, runId: string): Promise<{ readonly rows: number; readonly bytes: number }> {
  const asOf = await resolveAsOf(store.log, runId, { kind: 'head' });
  const { configs } = await createDistiset(store, runId, { asOf });
  let count = 0;
  let bytes = 0;
  for (const config of configs) {
    for await (const row of config.rows()) {
      count++;
      bytes += Buffer.byteLength(canonicalJson(row)) + 1;
    }
  }
  return { rows: count, bytes };
}

async function walPosition(database: BenchDatabase): Promise<number> {
  const { rows: found } = await database.sql(`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as bytes`);
  return (found[0] as { bytes: number }).bytes;
}

/** Returns tables (with TOAST) and indexes, the largest first, without empty ones. */
async function relationBytes(database: BenchDatabase): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const { rows: found } = await database.sql(`
    select relname as name, (case relkind when 'r' then pg_table_size(oid) else pg_relation_size(oid) end)::float8 as bytes
      from pg_class where relnamespace = 'distilog'::regnamespace and relkind in ('r', 'i') order by bytes desc`);
  const relations = found as readonly { readonly name: string; readonly bytes: number }[];
  return relations.filter(({ bytes }) => bytes > emptyBytes);
}

/** Size of an empty index, or of the maps of an empty table. */
const emptyBytes = 16_384;
