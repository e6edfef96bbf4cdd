import fc from 'fast-check';
import pg from 'pg';
import { expect, it } from 'vitest';
import { leafHash, rootHash } from '../../src/log/index.ts';
import { sha256 } from '../../src/kit/sha256.ts';
import { finishedRun } from './runs.ts';
import { testDatabase } from './server.ts';

const database = await testDatabase();

// What event text may be: PostgreSQL holds neither NUL nor half a surrogate pair.
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replaceAll('\u0000', ''));
const integer = fc.option(fc.nat(2 ** 31 - 1));
const event = fc.record({
  type: text,
  version: fc.nat(2 ** 31 - 1),
  pass: integer,
  step: fc.option(text),
  batch: fc.option(fc.nat(Number.MAX_SAFE_INTEGER)),
  attempt: integer,
  chunks: fc.array(text.map(sha256), { maxLength: 3 }),
  data: fc.json({ maxDepth: 2, stringUnit: 'grapheme' }).map((value) => value.replaceAll('\u0000', '')),
});

it('the database hashes an event as verify does, whatever its columns hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 30 }), async (events) => {
      const { rows } = await database.sql(
        `select encode(distilog.leaf(t, v, p, s, b, a, c, d), 'hex') as leaf
           from unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::bigint[], $6::int[], $7::text[], $8::text[])
             with ordinality as e (t, v, p, s, b, a, c, d, n) order by n`,
        [
          events.map(({ type }) => type),
          events.map(({ version }) => version),
          events.map(({ pass }) => pass),
          events.map(({ step }) => step),
          events.map(({ batch }) => batch),
          events.map(({ attempt }) => attempt),
          events.map(({ chunks }) => chunks.join(',')),
          events.map(({ data }) => data),
        ],
      );
      const leaves = (rows as { leaf: string }[]).map(({ leaf }) => leaf);
      expect(leaves).toEqual(events.map(leafHash));
      const root = await database.sql(`select encode(sha256(decode($1, 'hex')), 'hex') as root`, [leaves.join('')]);
      expect(root.rows).toEqual([{ root: rootHash(leaves) }]);
    }),
    { numRuns: 60 },
  );
});

it.each([
  ['in another writing than they are read in', (chunk: string) => chunk.toUpperCase()],
  ['with blanks', (chunk: string) => `${chunk.slice(0, 8)} ${chunk.slice(8)}`],
  ['in part', (chunk: string) => chunk.slice(0, 62)],
  ['with nothing between two commas', (chunk: string) => `${chunk},,${chunk}`],
  ['as null', () => null],
])('chunks are refused %s, so that what was hashed is what verify reads', async (_how, written) => {
  const store = await database.store();
  const runId = await finishedRun(store, 10);
  const head = await store.log.head(runId);
  const chunk = { sha256: sha256('some rows'), bytes: Buffer.from('some rows') };
  await store.chunks.put([chunk]);
  const client = new pg.Client(database.app());
  await client.connect();
  const eventOf = (chunks: string | null) => {
    const place = { type: 'BatchStarted', version: 1, pass: 1, step: 'all', batch: 77, attempt: 1 };
    return { ...place, chunks: chunks === null ? [] : [chunks], data: '{}' };
  };
  const append = (chunks: string | null) =>
    client.query(
      `select (r).outcome from (select distilog.append($1, $2, 'by hand', $3, 'w', array['BatchStarted'], array[1], array[1], array['all'], array[77::bigint], array[1], array[$4], array['{}'], array[$5::bytea])) as q (r)`,
      [runId, head?.epoch, Buffer.from(head?.hash ?? '', 'hex'), chunks, Buffer.from(leafHash(eventOf(chunks)), 'hex')],
    );
  try {
    await expect(append(written(chunk.sha256))).rejects.toMatchObject({ code: expect.stringMatching(/^(22023|23503)$/) });
    expect((await append(chunk.sha256)).rows).toEqual([{ outcome: 'ok' }]);
  } finally {
    await client.end();
  }
});
