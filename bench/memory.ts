// Peak memory of a run and its export to Parquet, at two sizes: node --conditions=distilog-source bench/memory.ts [rows|global|flatMap [size [times]]]
// With the heap that the command line gives itself.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createDistiset, writeDistiset } from '#distiset';
import { startPipeline } from '#engine';
import { canonicalJson } from '#kit/json';
import { resolveAsOf } from '#log';
import { pipeline, plan, type Builder, type Pipeline } from '#pipeline';
import { openStore } from '#postgres';
import { frugalHeap } from '../src/cli/frugal-heap.ts';

interface Measured {
  /** Rows of the source. */
  readonly size: number;
  readonly peakMb: number;
  readonly seconds: number;
  readonly largestGraphBytes: number;
}

const rowOf = (n: number) => ({ n, text: `row ${n} ${'lorem ipsum '.repeat(10)}` });

/** What is run, at a size, and which size is the small one. */
const scenarios: Readonly<Record<string, { readonly small: number; readonly of: (size: number) => Pipeline }>> = {
  rows: {
    small: 30_000,
    of: (size) =>
      pipeline('rows', ({ source }) => {
        numbered(source, size)
          .map('length', { output: z.object({ length: z.int() }), run: ({ text }) => ({ length: text.length }) })
          .filter('most', { keep: ({ n }) => n % 10 !== 0 });
      }),
  },
  global: {
    small: 50_000,
    of: (size) =>
      pipeline('global', ({ source }) => {
        numbered(source, size).global('copied', {
          output: z.object({ text: z.string() }),
          run: async function* (rows) {
            for await (const { text } of rows) yield { text };
          },
        });
      }),
  },
  flatMap: {
    small: 10,
    of: (size) =>
      pipeline('flatMap', ({ source }) => {
        numbered(source, size).flatMap('many', {
          output: z.object({ copy: z.int() }),
          run: function* () {
            for (let copy = 0; copy < 10_000; copy++) yield { copy };
          },
        });
      }),
  },
};

const [mode = 'rows', first, second] = process.argv.slice(2);
if (mode === '--measure') console.log(JSON.stringify(await measure(first ?? '', Number(second))));
else compare(mode, Number(first ?? scenarios[mode]?.small), Number(second ?? 10));

function numbered(source: Builder<{}>['source'], size: number) {
  return source('all', {
    output: z.object({ n: z.int(), text: z.string() }),
    batchSize: 1_000,
    read: function* ({ offset }) {
      for (let n = offset; n < size; n++) yield rowOf(n);
    },
  });
}

function compare(scenario: string, rows: number, times: number): void {
  const [small, large] = [rows, rows * times].map((size): Measured => {
    const child = spawnSync(
      process.execPath,
      [...frugalHeap, '--conditions=distilog-source', '--no-warnings', fileURLToPath(import.meta.url), '--measure', scenario, String(size)],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    return JSON.parse(child.stdout) as Measured;
  });
  if (!small || !large) return;
  console.table([small, large]);
  const ratio = (large.peakMb / small.peakMb).toFixed(2);
  console.log(
    `${scenario}: peak memory at ${large.size} is ${ratio} × that at ${small.size}; largest graph state ${large.largestGraphBytes} bytes`,
  );
}

async function measure(scenario: string, size: number): Promise<Measured> {
  const of = scenarios[scenario]?.of(size);
  if (!of) throw new Error(`there is no scenario ${scenario}; there are ${Object.keys(scenarios).join(', ')}`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-memory-'));
  fs.chmodSync(folder, 0o755);
  const store = await openStore({ folder, environment: {} });
  const started = performance.now();
  let largestGraphBytes = 0;
  let events = 0;
  const run = await startPipeline(store, plan(of), {
    seed: 1,
    onRecorded: (recorded) => {
      events += recorded.length;
      if (events % 20 === 0) largestGraphBytes = Math.max(largestGraphBytes, canonicalJson(run.state()).length);
    },
  });
  await run.drive();
  const asOf = await resolveAsOf(store.log, run.runId, { kind: 'head' });
  await writeDistiset(await createDistiset(store, run.runId, { asOf }), { directory: path.join(folder, 'out'), distilog: 'bench' });
  const seconds = (performance.now() - started) / 1000;
  await store.close();
  fs.rmSync(folder, { recursive: true, force: true });
  return {
    size,
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
    seconds: Math.round(seconds * 10) / 10,
    largestGraphBytes,
  };
}
