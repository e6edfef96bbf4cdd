import fs from 'node:fs';
import { z } from 'zod';
import { DuckDBInstance } from '@duckdb/node-api';
import { writeConfig } from '../src/distiset/writers/write-config.ts';
import { columnsOf } from './unit/distiset/writers/written.ts';
const shape = {
  id: z.int(),
  a: z.string(),
  b: z.string(),
  tags: z.array(z.string()),
  meta: z.object({ model: z.string(), tokens: z.int() }),
  extra: z.json(),
};
const words = Array.from({ length: 3000 }, (_, n) => `w${((n * 7919) % 99991).toString(36)}`);
let seed = 1;
const rnd = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
const text = (n: number) => {
  let t = '';
  while (t.length < n) t += `${words[Math.floor(rnd() * 3000)]} `;
  return t;
};
const total = Number(process.argv[2] ?? 100_000);
const make = (n: number) => ({
  id: n,
  a: text(200),
  b: text(300),
  tags: ['x', `t${n % 50}`],
  meta: { model: 'm', tokens: n % 997 },
  extra: { k: [n, null] },
});
const pool = Array.from({ length: 20_000 }, (_, n) => make(n));
async function* rows() {
  for (let n = 0; n < total; n++) yield { ...(pool[n % 20_000] as ReturnType<typeof make>), id: n };
}
for (const [format, compression] of [
  ['jsonl', 'snappy'],
  ['parquet', 'snappy'],
  ['parquet', 'zstd'],
] as const) {
  const folder = fs.mkdtempSync('/tmp/wr/bench-');
  let peak = 0;
  const t = setInterval(() => {}, 50);
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage().rss);
  };
  const started = performance.now();
  const cpu = process.cpuUsage();
  async function* sampled() {
    let n = 0;
    for await (const row of rows()) {
      if (n++ % 1000 === 0) sample();
      yield row;
    }
  }
  const w = await writeConfig(folder, { name: 'c', columns: columnsOf(shape), rows: sampled }, { format, compression });
  const s = (performance.now() - started) / 1000;
  const u = process.cpuUsage(cpu);
  clearInterval(t);
  console.log(
    format,
    compression,
    `${s.toFixed(2)} s`,
    `cpu ${((u.user + u.system) / 1e6).toFixed(2)}`,
    `${Math.round(total / s)} rows/s`,
    `peak ${Math.round(peak / 1e6)} MB`,
    `${Math.round(w.files.reduce((a, f) => a + f.bytes, 0) / 1e6)} MB`,
  );
  if (format === 'jsonl') {
    const db = await (await DuckDBInstance.create()).connect();
    const st = performance.now();
    await db.run(`copy (select * from read_json('${folder}/c/*.jsonl')) to '${folder}/d.parquet' (format parquet, compression snappy)`);
    console.log(
      'duckdb',
      ((performance.now() - st) / 1000).toFixed(2),
      's',
      Math.round(total / ((performance.now() - st) / 1000)),
      'rows/s',
    );
  }
  fs.rmSync(folder, { recursive: true });
}
