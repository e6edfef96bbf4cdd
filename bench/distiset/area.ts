import fs from 'node:fs';
import path from 'node:path';
import { us, type Area, type Bench, type Comparison } from '../area.ts';
import { ownProcess, plainProcess, type Told } from '../measured-process.ts';
import { ownRun } from '../engine/own-run.ts';
import { neededFor } from '../engine/pipelines.ts';
import { withFolder } from '../folder.ts';
import { pythonMissing, pythonProcess } from '../python.ts';
import { inTurns, keepPeak, type Runner } from '../rounds.ts';
import type { BenchDatabase } from '../server.ts';
import { parquetFacts } from './parquet-rows.ts';
import { writeJsonl } from './rows-jsonl.ts';

/** The export of a finished run. */
export const distiset: Area = {
  name: 'distiset',
  does: 'writes rows to Parquet, beside DuckDB, datasets and pyarrow',
  run: async (bench) => {
    const sizes = bench.isQuick ? quickSizes : fullSizes;
    const database = await bench.server.database('distiset');
    try {
      for (const rows of Object.values(sizes)) {
        bench.say(`  a run of ${rows.toLocaleString('en-US')} rows to be exported`);
        await ownRun(database, { pipeline: 'trivial', runId: runIdOf(rows), rows: neededFor(rows) });
      }
      return await withFolder(async (folder) => [
        await toParquet(bench, { rows: sizes.small, database, folder }),
        await memory(bench, { sizes: Object.values(sizes), database, folder }),
      ]);
    } finally {
      await database.drop();
    }
  },
};

/** Rows of a dataset: everybody's, and what our memory is compared at. */
const fullSizes = { small: 100_000, large: 1_000_000 } as const;
const quickSizes = { small: 2_000, large: 10_000 } as const;

const runIdOf = (rows: number): string => `trivial-${rows}`;

interface Work {
  readonly rows: number;
  readonly database: BenchDatabase;
  readonly folder: string;
}

async function toParquet({ rounds, say }: Bench, { rows, database, folder }: Work): Promise<Comparison> {
  const jsonl = path.join(folder, 'rows.jsonl');
  writeJsonl(jsonl, rows);
  const writer = (name: string, write: (to: string) => Promise<Told>, missing?: string): Runner => ({
    name,
    missing,
    run: async (_round, seen) => {
      const told = await written(path.join(folder, 'out'), rows, seen, write);
      return rows / told.seconds;
    },
  });
  const python = (which: string) => (to: string) =>
    withFolder((home) => pythonProcess(parquetPeerProgram, [which, jsonl, to, path.join(home, 'cache')], home));
  const contestants = await inTurns(
    [
      writer(us, (to) => exported(database, rows, to)),
      {
        name: `${us}, rows read only`,
        run: async (_round, seen) => {
          const told = await ownProcess(readProgram, [database.url, runIdOf(rows)]);
          if (told.rows !== rows) throw new Error(`${told.rows} rows were read: ${rows} should be`);
          keepPeak(seen, told);
          return rows / told.seconds;
        },
      },
      writer('hyparquet-writer alone', (to) => plainProcess(writerProgram, [jsonl, to])),
      writer('DuckDB COPY', (to) => plainProcess(duckdbProgram, [jsonl, to])),
      writer('Hugging Face datasets', python('datasets'), pythonMissing()),
      writer('pyarrow', python('pyarrow'), pythonMissing()),
    ],
    rounds,
    say,
  );
  return {
    what: `${rows.toLocaleString('en-US')} rows to Parquet`,
    unit: 'rows/s',
    better: 'higher',
    contestants,
    note: `${us} reads them from the store, with their columns from three steps, and hashes rows and files; the others read one JSONL file of the same rows; hyparquet-writer, which our exports use, begins with its rows in memory. Starting each program is not counted.`,
  };
}

async function memory(
  { isQuick, rounds, say }: Bench,
  { sizes, database, folder }: Omit<Work, 'rows'> & { readonly sizes: readonly number[] },
): Promise<Comparison> {
  const runners = sizes.map(
    (rows): Runner => ({
      name: `${us}, ${rows.toLocaleString('en-US')} rows`,
      run: async (_round, seen) => {
        const { peakMb, seconds } = await written(path.join(folder, 'out'), rows, {}, (to) => exported(database, rows, to));
        seen['rows/s'] = Math.round(rows / seconds);
        return peakMb;
      },
    }),
  );
  const contestants = await inTurns(runners, isQuick ? 1 : Math.min(rounds, memoryRoundsMax), say);
  return { what: 'peak memory of an export, by how many rows there are', unit: 'MB', better: 'lower', contestants };
}

/** A process's peak differs little from one round to the next. */
const memoryRoundsMax = 2;

const exportProgram = new URL('export-child.ts', import.meta.url);
const readProgram = new URL('read-child.ts', import.meta.url);
const writerProgram = new URL('writer-child.ts', import.meta.url);
const duckdbProgram = new URL('duckdb-child.ts', import.meta.url);
const parquetPeerProgram = new URL('parquet_peer.py', import.meta.url);

const exported = (database: BenchDatabase, rows: number, to: string): Promise<Told> =>
  ownProcess(exportProgram, [database.url, runIdOf(rows), to]);

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
