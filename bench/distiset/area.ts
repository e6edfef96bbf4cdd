import fs from 'node:fs';
import path from 'node:path';
import { startPipeline } from '../../src/engine/index.ts';
import { plan } from '../../src/pipeline/index.ts';
import { wordnet, type Entry } from '../../examples/wordnet.ts';
import { ownName, type Area, type Bench, type Comparison } from '../area.ts';
import { ownProcess, plainProcess, type Measurement } from '../measured-process.ts';
import { ownRun } from '../engine/own-run.ts';
import { batchSize, neededFor } from '../engine/pipelines.ts';
import { withFolder } from '../folder.ts';
import { answers, prose, proseRows } from '../prose.ts';
import { pythonMissing, pythonProcess } from '../python.ts';
import { requireVerified } from '../require-verified.ts';
import { runInTurns, keepPeak, type Runner } from '../rounds.ts';
import type { BenchDatabase } from '../server.ts';
import { parquetFacts } from './parquet-rows.ts';
import { smallRows, writeJsonl } from './rows-jsonl.ts';

/** Measures the export of a finished run. */
export const distiset: Area = {
  name: 'distiset',
  description: 'rows to Parquet, compared with DuckDB, datasets and pyarrow',
  run: async (bench) => {
    const sizes = bench.isQuick ? quickSizes : fullSizes;
    const database = await bench.server.database('distiset');
    try {
      for (const rows of [sizes.small, sizes.middle, sizes.large]) {
        bench.reportProgress(`  a run of ${rows.toLocaleString('en-US')} rows to be exported`);
        await ownRun(database, { pipeline: 'trivial', runId: runIdOf(rows), rows: neededFor(rows) });
      }
      const entries = await Array.fromAsync(wordnet({ limit: sizes.prose }));
      bench.reportProgress(`  a run of ${entries.length.toLocaleString('en-US')} rows of prose to be exported`);
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

/** Rows of a dataset. All contestants write `small` and `prose`; the memory of an export is measured at `small`, `middle` and `large`. */
const fullSizes = { small: 100_000, prose: 50_000, middle: 700_000, large: 2_000_000 } as const;
const quickSizes = { small: 2_000, prose: 1_000, middle: 5_000, large: 10_000 } as const;

const runIdOf = (rows: number): string => `trivial-${rows}`;

const proseRunId = 'prose';

async function proseRun(database: BenchDatabase, entries: readonly Entry[]): Promise<void> {
  const store = await database.store();
  const run = await startPipeline(store, plan(prose(entries, { glosses: answers.long, batchSize })), { runId: proseRunId, seed: 1 });
  const { rest } = await run.drive();
  if (rest !== 'succeeded') throw new Error(`The run ended as ${rest}, not succeeded.`);
  await requireVerified(store, proseRunId);
}

interface Work {
  readonly runId: string;
  /** The rows of that run. */
  readonly rows: Iterable<object>;
  readonly database: BenchDatabase;
  readonly folder: string;
}

async function toParquet({ rounds, reportProgress }: Bench, { runId, rows: content, database, folder }: Work): Promise<Comparison> {
  const jsonl = path.join(folder, `${runId}.jsonl`);
  const { rows, bytes } = writeJsonl(jsonl, content);
  const writer = (name: string, write: (to: string) => Promise<Measurement>, missing?: string): Runner => ({
    name,
    missing,
    run: async (_round, observations) => {
      const measurement = await measureWriting(path.join(folder, 'out'), rows, observations, write);
      return rows / measurement.seconds;
    },
  });
  const reader = (name: string, read: () => Promise<Measurement>): Runner => ({
    name,
    run: async (_round, observations) => {
      const measurement = await read();
      if (measurement.rows !== rows) throw new Error(`${measurement.rows} of ${rows} rows were read.`);
      keepPeak(observations, measurement);
      return rows / measurement.seconds;
    },
  });
  const python = (peer: string) => (to: string) =>
    withFolder((home) => pythonProcess(parquetPeerProgram, [peer, jsonl, to, path.join(home, 'cache')], home));
  const contestants = await runInTurns(
    [
      writer(ownName, (to) => exportRun(database, runId, to)),
      reader(`${ownName}, reading rows only`, () => ownProcess('distiset', readProgram, [database.url, runId])),
      reader('parsing and hashing only', () => ownProcess('distiset', hashProgram, [jsonl])),
      writer('hyparquet-writer only', (to) => plainProcess(writerProgram, [jsonl, to])),
      writer('DuckDB COPY', (to) => plainProcess(duckdbProgram, [jsonl, to])),
      writer('Hugging Face datasets', python('datasets'), pythonMissing()),
      writer('pyarrow', python('pyarrow'), pythonMissing()),
    ],
    rounds,
    reportProgress,
  );
  return {
    title: `${rows.toLocaleString('en-US')} rows of ${Math.round(bytes / rows).toLocaleString('en-US')} bytes to Parquet`,
    unit: 'rows/s',
    better: 'higher',
    contestants,
    note: `${ownName} reads rows from the store, with columns from several steps, and hashes rows and files. The other writers read one JSONL file of the same rows. hyparquet-writer, the writer that ${ownName} uses, starts with its rows in memory. So description parsing and hashing, which runs in one thread and writes nothing. All compress with zstd except datasets, which uses Snappy. Starting a program is not counted.`,
  };
}

async function memory(
  { rounds, reportProgress }: Bench,
  { sizes, database, folder }: Pick<Work, 'database' | 'folder'> & { readonly sizes: readonly number[] },
): Promise<Comparison> {
  const runners = sizes.map(
    (rows): Runner => ({
      name: `${ownName}, ${rows.toLocaleString('en-US')} rows`,
      run: async (_round, observations) => {
        const { peakMb, seconds } = await measureWriting(path.join(folder, 'out'), rows, {}, (to) =>
          exportRun(database, runIdOf(rows), to),
        );
        observations['rows/s'] = Math.round(rows / seconds);
        return peakMb;
      },
    }),
  );
  const contestants = await runInTurns(runners, rounds, reportProgress);
  return { title: 'peak memory of an export, by number of rows', unit: 'MB', better: 'lower', contestants };
}

const exportProgram = new URL('export-child.ts', import.meta.url);
const readProgram = new URL('read-child.ts', import.meta.url);
const hashProgram = new URL('hash-child.ts', import.meta.url);
const writerProgram = new URL('writer-child.ts', import.meta.url);
const duckdbProgram = new URL('duckdb-child.ts', import.meta.url);
const parquetPeerProgram = new URL('parquet_peer.py', import.meta.url);

const exportRun = (database: BenchDatabase, runId: string, to: string): Promise<Measurement> =>
  ownProcess('distiset', exportProgram, [database.url, runId, to]);

/** Calls `write`, counts the rows that it wrote, and removes them. */
async function measureWriting(
  to: string,
  rows: number,
  observations: Record<string, string | number>,
  write: (to: string) => Promise<Measurement>,
): Promise<Measurement> {
  try {
    const measurement = await write(to);
    const facts = await parquetFacts(to);
    if (measurement.rows !== rows || facts.rows !== rows)
      throw new Error(`${rows} rows were expected: ${measurement.rows} were reported, and ${facts.rows} are in ${to}.`);
    keepPeak(observations, measurement);
    observations['file in MB'] = facts.bytes / 1e6;
    return measurement;
  } finally {
    fs.rmSync(to, { recursive: true, force: true });
  }
}
