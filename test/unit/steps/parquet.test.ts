import fs from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parquet, sampleFile } from '../../../src/steps/index.ts';
import { fileOf, itemsOf, refusalOf, temporaryFolder } from './reading.ts';

/** A Parquet file that DuckDB writes of a query. */
async function written(sql: string, options = ''): Promise<string> {
  const file = path.join(temporaryFolder(), 'file-0.parquet');
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run(`copy (${sql}) to '${file}' (format parquet${options})`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return file;
}

describe('a Parquet file of another tool', () => {
  it.each(['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'])('is read where it is compressed with %s', async (codec) => {
    const file = await written(`select range as n, 'text ' || range as t from range(2000)`, `, compression ${codec}`);
    const rows = await itemsOf(parquet(file, { output: z.object({ n: z.int(), t: z.string() }) }));
    expect(rows).toHaveLength(2000);
    expect(rows[1999]).toEqual({ n: 1999, t: 'text 1999' });
  });

  it('rejects a row with a map key __proto__ and refuses a member of that name, because the reader would lose both', async () => {
    const file = await written(`select map {'a': 1, '__proto__': 2} as m, '__proto__' as t union all select map {'b': 1}, 'x'`);
    const rows = await itemsOf(parquet(file, { output: z.object({ m: z.record(z.string(), z.int()), t: z.string() }) }));
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({ m: { b: 1 }, t: 'x' });
    expect(String(rows.find((row) => typeof row === 'string' || row instanceof Error))).toContain('column m has a key called __proto__');
    expect(await itemsOf(parquet(file, { output: z.object({ t: z.string() }) }))).toContainEqual({ t: '__proto__' });

    const struct = await written(`select {'__proto__': 1, b: 2} as s`);
    expect(await refusalOf(parquet(struct, { output: z.object({ s: z.json() }) }))).toMatch(/column s has a member called __proto__/);
  });

  it('is read as JSON, with times as ISO texts and missing values as null', async () => {
    const file = await written(
      `select * from (values
      (timestamp '2026-01-02 03:04:05.678901', timestamptz '2026-01-02 03:04:05Z', date '1969-12-31', time '09:30:00.5', 12.57::decimal(9,2), 7::utinyint, 1.5::float,
       [1, null, 3], {a: 1, b: null}, map {'k': 1}, uuid '00112233-4455-6677-8899-aabbccddeeff', 'x'::enum('x', 'y'), true),
      (null, null, null, null, null, null, null, null, null, null, null, null, null)
    ) as t(ts, tz, d, ti, de, tiny, f, l, s, m, u, e, b)`.replace("'x'::enum('x', 'y')", "'x'"),
    );
    const output = z.object({
      ts: z.iso.datetime().nullable(),
      tz: z.iso.datetime().nullable(),
      d: z.iso.date().nullable(),
      ti: z.iso.time().nullable(),
      de: z.number().nullable(),
      tiny: z.int().nullable(),
      f: z.number().nullable(),
      l: z.array(z.int().nullable()).nullable(),
      s: z.object({ a: z.int(), b: z.int().nullable() }).nullable(),
      m: z.record(z.string(), z.int()).nullable(),
      u: z.uuid().nullable(),
      e: z.string().nullable(),
      b: z.boolean().nullable(),
    });
    expect(await itemsOf(parquet(file, { output }))).toEqual([
      {
        ts: '2026-01-02T03:04:05.678901Z',
        tz: '2026-01-02T03:04:05.000Z',
        d: '1969-12-31',
        ti: '09:30:00.5',
        de: 12.57,
        tiny: 7,
        f: 1.5,
        l: [1, null, 3],
        s: { a: 1, b: null },
        m: { k: 1 },
        u: '00112233-4455-6677-8899-aabbccddeeff',
        e: 'x',
        b: true,
      },
      Object.fromEntries(Object.keys(output.shape).map((name) => [name, null])),
    ]);
  });

  it('rejects integers that no number holds, unless the column is text, and bytes that are not text', async () => {
    const file = await written(`select * from (values (9007199254740993, 'a'::blob), (2, '\\xE9'::blob)) as t(id, bytes)`);
    const text = z.string();
    expect(await itemsOf(parquet(file, { output: z.object({ id: z.int() }) }))).toEqual([
      'invalid-value: file.parquet, row 1, column id: expected a value that JSON can hold, got 9007199254740993, an integer that a number does not hold exactly (z.string() takes it).',
      { id: 2 },
    ]);
    expect(await itemsOf(parquet(file, { output: z.object({ id: text, bytes: text }) }))).toEqual([
      { id: '9007199254740993', bytes: 'a' },
      'invalid-value: file.parquet, row 2, column bytes: expected a value that JSON can hold, got 1 bytes that are not UTF-8.',
    ]);
    expect(await itemsOf(parquet(file, { output: z.object({ id: z.string().max(3) }) }))).toEqual([
      expect.stringMatching(/^invalid-value: file\.parquet, row 1: column id: Too big/) as string,
      { id: '2' },
    ]);
  });

  it('is read from any row on, without the row groups before it', async () => {
    const file = await written(`select range::integer as n, repeat('x', 100) || range as t from range(10000)`, `, row_group_size 2048`);
    const source = parquet(file, { output: z.object({ n: z.int() }) });
    for (const offset of [0, 1, 2047, 2048, 2049, 9999, 10_000, 12_000]) {
      const rows = await itemsOf(source, offset);
      expect(rows).toHaveLength(Math.max(0, 10_000 - offset));
      if (offset < 10_000) expect([rows[0], rows.at(-1)]).toEqual([{ n: offset }, { n: 9999 }]);
    }
  });

  it('is refused if it is another format, truncated, or lacks a column', async () => {
    const output = z.object({ n: z.int() });
    const file = await written('select range as n from range(100)');
    const bytes = fs.readFileSync(file);
    const refused = (content: Uint8Array | string) => refusalOf(parquet(fileOf(content, 'parquet'), { output }));
    expect(await refused('')).toBe('source-unreadable: file.parquet is not a Parquet file: it has 0 bytes.');
    expect(await refused('a text that is longer than that')).toMatch(/it does not end in PAR1/);
    expect(await refused(bytes.subarray(0, bytes.length - 10))).toMatch(/its end is missing/);
    const torn = Buffer.from(bytes);
    torn.fill(0xff, 4, 60);
    expect(await refused(torn)).toMatch(/^source-unreadable: file\.parquet cannot be read \(rows 1 to 100\): /);
    torn.fill(0xff, bytes.length - 60, bytes.length - 8);
    expect(await refused(torn)).toMatch(/^source-unreadable: file\.parquet cannot be read \(its metadata\): /);
    expect(await refusalOf(parquet(file, { output: z.object({ m: z.int() }) }))).toMatch(/has no column m; it has n\./);
    expect(await itemsOf(parquet(file, { output: z.object({ n: z.int(), m: z.int().default(3) }) }), 99)).toEqual([{ n: 99 }]);
  });

  it('is refused with an unknown codec, naming it', async () => {
    const bytes = new ByteWriter();
    const writer = new ParquetWriter({
      writer: Object.assign(bytes, { flush: () => undefined, finish: () => undefined }),
      schema: [
        { name: 'schema', num_children: 1 },
        { name: 'n', type: 'INT32', repetition_type: 'REQUIRED' },
      ],
      codec: 'LZO',
      compressors: { LZO: (input: Uint8Array) => input.slice(0, -1) },
    });
    void writer.write({ columnData: [{ name: 'n', data: Array.from({ length: 100 }, () => 1) }] });
    void writer.finish();
    expect(await refusalOf(parquet(fileOf(bytes.getBytes(), 'parquet'), { output: z.object({ n: z.int() }) }))).toMatch(
      /^source-unreadable: file\.parquet is compressed with LZO, which cannot be read\. Write it again with one of SNAPPY, /,
    );
  });
});

describe('the first rows of a Parquet file', () => {
  it('have long integers as texts, and omit columns that are not JSON', async () => {
    const file = await written(`select * from (values (1, '\\xE9'::blob, 1.5), (9007199254740993, 'a'::blob, null)) as t(id, bytes, x)`);
    expect(await sampleFile(file, 10)).toEqual({
      format: 'parquet',
      dialect: {},
      columns: ['id', 'x'],
      rows: [
        expect.objectContaining({ id: '1', x: 1.5 }) as object,
        expect.objectContaining({ id: '9007199254740993', x: null }) as object,
      ],
      broken: [],
      leftOut: { bytes: '1 bytes that are not UTF-8' },
    });
  });
});
