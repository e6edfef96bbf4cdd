import fs from 'node:fs';
import path from 'node:path';
import { startPipeline } from '../../src/engine/index.ts';
import { plan } from '../../src/pipeline/index.ts';
import { wordnet, type Entry } from '../../examples/wordnet.ts';
import { us, type Area, type Bench, type Comparison } from '../area.ts';
import { ownProcess, plainProcess, type Told } from '../measured-process.ts';
import { ownRun } from '../engine/own-run.ts';
import { batchSize, neededFor } from '../engine/pipelines.ts';
import { withFolder } from '../folder.ts';
import { answers, prose, proseRows } from '../prose.ts';
import { pythonMissing, pythonProcess } from '../python.ts';
import { requireVerified } from '../require-verified.ts';
import { inTurns, keepPeak, type Runner } from '../rounds.ts';
import type { BenchDatabase } from '../server.ts';
import { parquetFacts } from './parquet-rows.ts';
import { smallRows, writeJsonl } from './rows-jsonl.ts';

/** The export of a finished run. */
export const distiset: Area = {
  name: 'distiset',
  does: 'writes rows to Parquet, beside DuckDB, datasets and pyarrow',
  run: async (bench) => {
    const sizes = bench.isQuick ? quickSizes : fullSizes;
    const database = await bench.server.database('distiset');
    try {
      for (const rows of [sizes.small, sizes.middle, sizes.large]) {
        bench.say(`  a run of ${rows.toLocaleString('en-US')} rows to be exported`);
        await ownRun(database, { pipeline: 'trivial', runId: runIdOf(rows), rows: neededFor(rows) });
      }
      const entries = await Array.fromAsync(wordnet({ limit: sizes.prose }));
      bench.say(`  a run of ${entries.length.toLocaleString('en-US')} rows of prose to be exported`);
      await proseRun(database, entries);
      return await withFolder(async (folder) => [
        await toParquet(bench, { runId: runIdOf(sizes.small), rows: smallRows(sizes.small), database, folder }),
        await toParquet(bench, { runId: proseRunId, rows: proseRows(entries, answers.long), database, folder }),
        await memory(bench, { sizes: [sizes.small, sizes.middle, sizes.large], database, folder }),
      ]);
    } finally {
      await database.drop();
    }
  },
};

/** Rows of a dataset: those that everybody writes, small ones and prose, and what our memory is compared at. */
const fullSizes = { small: 100_000, prose: 50_000, middle: 700_000, large: 2_000_000 } as const;
const quickSizes = { small: 2_000, prose: 1_000, middle: 5_000, large: 10_000 } as const;

const runIdOf = (rows: number): string => `trivial-${rows}`;

const proseRunId = 'prose';

async function proseRun(database: BenchDatabase, entries: readonly Entry[]): Promise<void> {
  const store = await database.store();
  const run = await startPipeline(store, plan(prose(entries, { glosses: answers.long, batchSize })), { runId: proseRunId, seed: 1 });
  const { rest } = await run.drive();
  if (rest !== 'succeeded') throw new Error(`the run ended as ${rest}`);
  await requireVerified(store, proseRunId);
}

interface Work {
  readonly runId: string;
  /** What is in it. */
  readonly rows: Iterable<object>;
  readonly database: BenchDatabase;
  readonly folder: string;
}

async function toParquet({ rounds, say }: Bench, { runId, rows: content, database, folder }: Work): Promise<Comparison> {
  const jsonl = path.join(folder, `${runId}.jsonl`);
  const { rows, bytes } = writeJsonl(jsonl, content);
  const writer = (name: string, write: (to: string) => Promise<Told>, missing?: string): Runner => ({
    name,
    missing,
    run: async (_round, seen) => {
      const told = await written(path.join(folder, 'out'), rows, seen, write);
      return rows / told.seconds;
    },
  });
  const reader = (name: string, read: () => Promise<Told>): Runner => ({
    name,
    run: async (_round, seen) => {
      const told = await read();
      if (told.rows !== rows) throw new Error(`${told.rows} rows were read: ${rows} should be`);
      keepPeak(seen, told);
      return rows / told.seconds;
    },
  });
  const python = (which: string) => (to: string) =>
    withFolder((home) => pythonProcess(parquetPeerProgram, [which, jsonl, to, path.join(home, 'cache')], home));
  const contestants = await inTurns(
    [
      writer(us, (to) => exported(database, runId, to)),
      reader(`${us}, rows read only`, () => ownProcess('distiset', readProgram, [database.url, runId])),
      reader('parsed, made canonical and hashed only', () => ownProcess('distiset', hashProgram, [jsonl])),
      writer('hyparquet-writer alone', (to) => plainProcess(writerProgram, [jsonl, to])),
      writer('DuckDB COPY', (to) => plainProcess(duckdbProgram, [jsonl, to])),
      writer('Hugging Face datasets', python('datasets'), pythonMissing()),
      writer('pyarrow', python('pyarrow'), pythonMissing()),
    ],
    rounds,
    say,
  );
  return {
    what: `${rows.toLocaleString('en-US')} rows of ${Math.round(bytes / rows).toLocaleString('en-US')} bytes to Parquet`,
    unit: 'rows/s',
    better: 'higher',
    contestants,
    note: `${us} reads them from the store, with their columns from several steps, and hashes rows and files; the others read one JSONL file of the same rows; hyparquet-writer, which our exports use, begins with its rows in memory, and so does what parses and hashes them, in one thread, and writes nothing. All compress with zstd but datasets, which chooses Snappy. Starting each program is not counted.`,
  };
}

async function memory(
  { rounds, say }: Bench,
  { sizes, database, folder }: Pick<Work, 'database' | 'folder'> & { readonly sizes: readonly number[] },
): Promise<Comparison> {
  const runners = sizes.map(
    (rows): Runner => ({
      name: `${us}, ${rows.toLocaleString('en-US')} rows`,
      run: async (_round, seen) => {
        const { peakMb, seconds } = await written(path.join(folder, 'out'), rows, {}, (to) => exported(database, runIdOf(rows), to));
        seen['rows/s'] = Math.round(rows / seconds);
        return peakMb;
      },
    }),
  );
  const contestants = await inTurns(runners, rounds, say);
  return { what: 'peak memory of an export, by how many rows there are', unit: 'MB', better: 'lower', contestants };
}

const exportProgram = new URL('export-child.ts', import.meta.url);
const readProgram = new URL('read-child.ts', import.meta.url);
const hashProgram = new URL('hash-child.ts', import.meta.url);
const writerProgram = new URL('writer-child.ts', import.meta.url);
const duckdbProgram = new URL('duckdb-child.ts', import.meta.url);
const parquetPeerProgram = new URL('parquet_peer.py', import.meta.url);

const exported = (database: BenchDatabase, runId: string, to: string): Promise<Told> =>
  ownProcess('distiset', exportProgram, [database.url, runId, to]);

/** Lets somebody write rows to a place, and removes them when they were counted. */
async function written(
  to: string,
  rows: number,
  seen: Record<string, string | number>,
  write: (to: string) => Promise<Told>,
): Promise<Told> {
  try {
    const told = await write(to);
    const facts = await parquetFacts(to);
    if (told.rows !== rows || facts.rows !== rows)
      throw new Error(`${told.rows} rows were told, and ${facts.rows} are in ${to}: ${rows} should be`);
    keepPeak(seen, told);
    seen['file, MB'] = facts.bytes / 1e6;
    return told;
  } finally {
    fs.rmSync(to, { recursive: true, force: true });
  }
}
