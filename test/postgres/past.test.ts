import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDistiset, writeDistiset } from '../../src/distiset/index.ts';
import { startPipeline } from '../../src/engine/index.ts';
import { foldAt, rebuild, resolveAsOf, type Store } from '../../src/log/index.ts';
import { pipeline, plan } from '../../src/pipeline/index.ts';
import { projections } from '../../projections/index.ts';
import { canonicalJson } from '../../src/kit/json.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();
const other = await testDatabase();
const store = await database.store();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-past-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** The number of looks so far. The run waits for them, so that on a busy machine it does not end before the test has looked. */
let looks = 0;
const looksBefore = (row: number): number => (row >= 1_990 ? 10 : Math.floor(row / 200));

const slow = plan(
  pipeline('slow', ({ source }) => {
    const all = source('all', {
      output: z.object({ n: z.int(), text: z.string().nullable() }),
      batchSize: 7,
      rows: Array.from({ length: 2_000 }, (_, n) => ({ n, text: n % 3 === 0 ? null : `row ${n} \u{1F600}` })),
    });
    const half = all.map('half', {
      output: z.object({ half: z.number(), tags: z.array(z.string()) }),
      concurrency: 4,
      run: async ({ n }) => {
        await sleep(12);
        while (looks < looksBefore(n)) await sleep(5);
        if (n % 97 === 5) throw Object.assign(new Error('no'), { retryable: false });
        return { half: n / 2, tags: n % 2 === 0 ? [] : ['odd'] };
      },
    });
    return { some: half.filter('some', { keep: ({ n }) => n % 5 !== 0, batchSize: 31 }), few: half.select('few', ['half']) };
  }),
);

let exports = 0;

/** Returns the hash of an export's bytes, and the states, as of a position. */
async function lookAt(
  from: Store,
  runId: string,
  position: number,
): Promise<{ readonly files: string; readonly states: readonly string[] }> {
  const asOf = await resolveAsOf(from.log, runId, { kind: 'position', position });
  const directory = path.join(folder, `export-${exports++}`);
  await writeDistiset(await createDistiset(from, runId, { asOf }), { directory, distilog: 'test' });
  const hash = createHash('sha256');
  const files = fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => fs.statSync(path.join(directory, file)).isFile());
  for (const file of files.sort()) hash.update(file).update(fs.readFileSync(path.join(directory, file)));
  const states = await Promise.all(projections.map(async (each) => canonicalJson(await foldAt<unknown>(from, each, runId, position))));
  return { files: hash.digest('hex'), states };
}

/** Copies every row of the log's tables into another database, as a dump and its restoration would. */
async function restoreInto(target: () => pg.ClientConfig): Promise<void> {
  for (const table of ['heads', 'commits', 'events', 'chunks']) {
    const { rows } = await database.sql(`select row_to_json(t)::text as line from distilog.${table} t`);
    const client = new pg.Client(target());
    await client.connect();
    await client.query(
      `insert into distilog.${table} select r.* from unnest($1::text[]) as l (line), json_populate_record(null::distilog.${table}, line::json) r`,
      [(rows as { line: string }[]).map(({ line }) => line)],
    );
    await client.end();
  }
}

describe('the state and the export as of a past position', () => {
  it('stay the same at ten positions of a run: while it runs, afterwards, without snapshots, and restored into another database', async () => {
    const run = await startPipeline(store, slow, { seed: 3 });
    const { runId } = run;
    const driving = run.drive();
    const seen = new Map<number, Awaited<ReturnType<typeof lookAt>>>();
    let isOver = false;
    const ended = driving.finally(() => {
      isOver = true;
    });
    while (seen.size < 10 && !isOver) {
      const head = await store.log.head(runId);
      if (head && !seen.has(head.position)) {
        seen.set(head.position, await lookAt(store, runId, head.position));
        looks = seen.size;
      }
      await sleep(20);
    }
    await ended;
    expect((await store.log.head(runId))?.position).toBeGreaterThan([...seen.keys()].at(-1) ?? 0);
    expect(seen.size).toBe(10);
    const again = async (from: Store) => {
      for (const [position, before] of seen) expect(await lookAt(from, runId, position), `position ${position}`).toEqual(before);
    };
    await again(store);
    await database.sql('delete from distilog.snapshots');
    await again(store);
    expect(await rebuild(store, projections, runId, { writer: 'past' })).toMatchObject({ snapshots: 0, firstDifference: null });
    await again(store);
    expect(await rebuild(store, projections, runId, { writer: 'past' })).toMatchObject({ firstDifference: null, stored: 0 });
    await restoreInto(other.owner);
    await again(await other.store());
  }, 120_000);
});
