// Peak memory of a run of three steps and its export to Parquet, at two sizes: node --conditions=distilog-source bench/memory.ts [rows [times]]
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
import { pipeline, plan } from '#pipeline';
import { openStore } from '#postgres';
import { frugalHeap } from '../src/cli/frugal-heap.ts';

interface Measured {
  readonly rows: number;
  readonly peakMb: number;
  readonly seconds: number;
  readonly largestGraphBytes: number;
}

const [mode, first] = process.argv.slice(2);
if (mode === '--measure') console.log(JSON.stringify(await measure(Number(first))));
else compare(Number(mode ?? 30_000), Number(first ?? 10));

function compare(rows: number, times: number): void {
  const [small, large] = [rows, rows * times].map((size): Measured => {
    const child = spawnSync(
      process.execPath,
      [...frugalHeap, '--conditions=distilog-source', '--no-warnings', fileURLToPath(import.meta.url), '--measure', String(size)],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    return JSON.parse(child.stdout) as Measured;
  });
  if (!small || !large) return;
  console.table([small, large]);
  console.log(
    `peak memory of ${large.rows} rows: ${(large.peakMb / small.peakMb).toFixed(2)} × that of ${small.rows}; largest graph state ${large.largestGraphBytes} bytes`,
  );
}

async function measure(total: number): Promise<Measured> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-memory-'));
  fs.chmodSync(folder, 0o755);
  const store = await openStore({ folder, environment: {} });
  const started = performance.now();
  const of = pipeline('memory', ({ source }) => {
    source('all', {
      output: z.object({ n: z.int(), text: z.string() }),
      batchSize: 1_000,
      read: function* ({ offset }) {
        for (let n = offset; n < total; n++) yield { n, text: `row ${n} ${'lorem ipsum '.repeat(10)}` };
      },
    })
      .map('length', { output: z.object({ length: z.int() }), run: ({ text }) => ({ length: text.length }) })
      .filter('most', { keep: ({ n }) => n % 10 !== 0 });
  });
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
    rows: total,
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
    seconds: Math.round(seconds * 10) / 10,
    largestGraphBytes,
  };
}
