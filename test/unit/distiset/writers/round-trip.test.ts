import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalJson, type Json, type JsonObject } from '../../../../src/kit/json.ts';
import { sha256 } from '../../../../src/kit/sha256.ts';
import { diskFiles } from '../../../../src/distiset/writers/file-sink.ts';
import { writeConfig, type WritableConfig, type WrittenConfig } from '../../../../src/distiset/writers/write-config.ts';
import { hexOf, readWithDuckdb, textsOfJsonl } from './duckdb.ts';
import { everyKind, everyKindRows } from './every-kind.ts';
import { configOf, filesBelow, parquetMetadata, readWithHyparquet, temporaryFolder } from './written.ts';

const parquet = { format: 'parquet', compression: 'snappy' } as const;

interface Read {
  readonly written: WrittenConfig;
  readonly folder: string;
  readonly hyparquet: readonly JsonObject[];
  readonly duckdb: readonly JsonObject[];
  readonly types: readonly string[];
}

/** Writes rows and reads them back with both readers. */
async function throughParquet(config: WritableConfig, options: Partial<Parameters<typeof writeConfig>[2]> = {}): Promise<Read> {
  const folder = temporaryFolder();
  const written = await writeConfig(diskFiles(folder), config, { ...parquet, ...options });
  expect(written.error).toBeNull();
  const files = written.files.map((file) => path.join(folder, file.path));
  const hyparquet = await readWithHyparquet(files, written.columns);
  const { rows: duckdb, types } = await readWithDuckdb(`${folder}/${written.folder}/train-*.parquet`, written.columns);
  return { written, folder, hyparquet, duckdb, types };
}

/** A row as files hold it: an optional member that is missing is null there. */
const filled = (rows: readonly JsonObject[], members: Readonly<Record<string, readonly string[]>>): readonly JsonObject[] =>
  rows.map((row) => ({
    ...row,
    ...Object.fromEntries(
      Object.entries(members).map(([column, names]) => {
        const value = row[column] as JsonObject;
        return [
          column,
          { ...value, ...Object.fromEntries(names.map((name) => [name, Object.hasOwn(value, name) ? (value[name] as Json) : null])) },
        ];
      }),
    ),
  }));

describe('rows through Parquet', () => {
  it('are the same for both readers, whatever the kind of column', async () => {
    const { hyparquet, duckdb, written, types } = await throughParquet(configOf('every', everyKind, everyKindRows));
    const expected = filled(everyKindRows, { meta: ['constructor'] });
    expect(hyparquet).toEqual(expected);
    expect(duckdb).toEqual(expected);
    expect(written.rowsSha256).toBe(sha256(everyKindRows.map((row) => `${canonicalJson(row)}\n`).join('')));
    expect(types.slice(0, 5)).toEqual(['VARCHAR', 'VARCHAR', 'BIGINT', 'DOUBLE', 'BOOLEAN']);
  });

  it('are the same for random columns and rows, in any sizes of files', async () => {
    // A leading U+FEFF is written, but both readers' decoders take it for a byte order mark.
    const text = fc.string({ unit: 'binary' }).map((any) => any.toWellFormed().replace(/^\uFEFF+/, ''));
    const leaf = fc.constantFrom<[z.ZodType, fc.Arbitrary<Json>]>(
      [z.string(), text],
      [z.int(), fc.maxSafeInteger().map((whole) => whole + 0)],
      [z.number(), fc.double({ noNaN: true, noDefaultInfinity: true }).map((real) => real + 0)],
      [z.boolean(), fc.boolean()],
      [z.json(), fc.jsonValue({ maxDepth: 3 }).map((any) => JSON.parse(canonicalJson(any)) as Json)],
    );
    type Kind = readonly [z.ZodType, fc.Arbitrary<Json>];
    const nullable = ([schema, values]: Kind): Kind => [schema.nullable(), fc.option(values)];
    const listOf = ([schema, values]: Kind): Kind => [z.array(schema), fc.array(values, { maxLength: 4 })];
    const structOf = (kinds: readonly Kind[]): Kind => [
      z.object(Object.fromEntries(kinds.map(([schema], index) => [`m${index}`, schema]))),
      fc.record(Object.fromEntries(kinds.map(([, values], index) => [`m${index}`, values]))),
    ];
    const { kind } = fc.letrec<{ kind: Kind }>((tie) => ({
      kind: fc.oneof(
        { maxDepth: 3 },
        leaf as fc.Arbitrary<Kind>,
        tie('kind').map(nullable),
        tie('kind').map(listOf),
        fc.array(tie('kind'), { minLength: 1, maxLength: 3 }).map(structOf),
      ),
    }));
    const dataset = fc.array(kind, { minLength: 1, maxLength: 4 }).chain((kinds) => {
      const named = (of: 0 | 1) => Object.fromEntries(kinds.map((each, index) => [`c${index}`, each[of]]));
      const shape = named(0) as Record<string, z.ZodType>;
      const row = fc.record(named(1) as Record<string, fc.Arbitrary<Json>>, { noNullPrototype: true });
      return fc.tuple(fc.constant(shape), fc.array(row, { maxLength: 25 }), fc.constantFrom('snappy', 'zstd'), fc.constantFrom(1, 1e9));
    });
    await fc.assert(
      fc.asyncProperty(dataset, async ([shape, rows, compression, shardBytesMax]) => {
        const read = await throughParquet(configOf('random', shape, rows as JsonObject[]), {
          compression: compression as 'zstd',
          shardBytesMax,
        });
        expect(read.hyparquet).toEqual(rows);
        expect(read.duckdb).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('hold every text that UTF-8 holds; lone surrogates become U+FFFD and are counted', async () => {
    const texts = ['', '\u0000', 'a\u0000b', '\u{1F600}', 'e\u0301', '\uFFFF', 'a\uFEFF', '\u2028', '\ud800', 'x\udc00y', '\u{10FFFF}'];
    const rows = texts.map((text) => ({ text, list: [text], any: { [text]: text } }));
    const { hyparquet, duckdb, written } = await throughParquet(
      configOf('texts', { text: z.string(), list: z.array(z.string()), any: z.record(z.string(), z.string()) }, rows),
    );
    // What is JSON text escapes them, and so loses nothing.
    const expected = rows.map(({ text, any }) => ({ text: text.toWellFormed(), list: [text.toWellFormed()], any }));
    expect(duckdb).toEqual(expected);
    expect(hyparquet).toEqual(expected);
    expect(written.replaced).toBe(4);
  });

  it('keep a leading U+FEFF, which only looks like a byte order mark', async () => {
    const { folder } = await throughParquet(configOf('mark', { text: z.string() }, [{ text: '\uFEFFa' }]));
    expect(await hexOf(`${folder}/mark/*.parquet`, 'text')).toEqual(['EFBBBF61']);
  });

  it('distinguish null, an empty list and a list of null at every depth', async () => {
    const shape = {
      lists: z.array(z.array(z.string().nullable()).nullable()).nullable(),
      one: z.object({ a: z.string().nullable() }).nullable(),
    };
    const rows: JsonObject[] = [
      { lists: null, one: null },
      { lists: [], one: { a: null } },
      { lists: [null], one: { a: '' } },
      { lists: [[]], one: { a: 'x' } },
      { lists: [[null]], one: null },
      { lists: [[null, 'a', null], null, [], ['']], one: null },
    ];
    const { hyparquet, duckdb } = await throughParquet(configOf('nulls', shape, rows));
    expect(hyparquet).toEqual(rows);
    expect(duckdb).toEqual(rows);
  });

  it('keep integers to the last digit', async () => {
    const rows = [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0, 1, -1, 2 ** 32, -(2 ** 31) - 1].map((n) => ({ n, real: n }));
    const { hyparquet, duckdb } = await throughParquet(configOf('ints', { n: z.int(), real: z.number() }, rows));
    expect(hyparquet).toEqual(rows);
    expect(duckdb).toEqual(rows);
  });

  it('support 200 columns, a text of 10 MB, and nesting of 100 levels', async () => {
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`c${index}`, z.int()]));
    const deepSchema = (depth: number): z.ZodType => (depth === 0 ? z.string() : z.object({ in: z.array(deepSchema(depth - 1)) }));
    const deepValue = (depth: number): Json => (depth === 0 ? 'leaf' : { in: [deepValue(depth - 1)] });
    const row: JsonObject = {
      ...Object.fromEntries(Object.keys(wide).map((name, index) => [name, index])),
      long: 'ä\u{1F600}'.repeat(2_000_000),
      deep: deepValue(50),
      list: ['short', 'long '.repeat(100_000)],
    };
    const { hyparquet, duckdb, folder, written } = await throughParquet(
      configOf('big', { ...wide, long: z.string(), deep: deepSchema(50), list: z.array(z.string()) }, [row]),
    );
    expect(hyparquet).toEqual([row]);
    expect(duckdb).toEqual([row]);
    // Statistics of long texts would be kept in memory until the file ends.
    const columns = (await parquetMetadata(path.join(folder, written.files[0]?.path ?? ''))).row_groups[0]?.columns ?? [];
    const hasStatistics = (name: string) =>
      columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === name)?.meta_data?.statistics !== undefined;
    expect([hasStatistics('c0'), hasStatistics('long'), hasStatistics('list')]).toEqual([true, false, false]);
  });

  it('that are empty become a file with the right columns', async () => {
    const { written, hyparquet, types } = await throughParquet(configOf('none', everyKind, []));
    expect(written.files.map(({ path: file, rows }) => [file, rows])).toEqual([['none/train-00000-of-00001.parquet', 0]]);
    expect(hyparquet).toEqual([]);
    expect(types).toHaveLength(Object.keys(everyKind).length);
    expect(written.rowsSha256).toBe(sha256(''));
  });

  it('keep a member called __proto__, or like a method of every object', async () => {
    const any = JSON.parse('{"__proto__":{"a":1},"toString":2}') as Json;
    const members = z.object({ toString: z.string().optional(), valueOf: z.string().optional() });
    const { hyparquet, duckdb } = await throughParquet(
      configOf('names', { any: z.record(z.string(), z.json()), members }, [
        { any, members: {} },
        { any, members: JSON.parse('{"toString":"own"}') as Json },
      ]),
    );
    for (const rows of [hyparquet, duckdb]) {
      expect(rows.map((row) => canonicalJson(row))).toEqual([
        '{"any":{"__proto__":{"a":1},"toString":2},"members":{"toString":null,"valueOf":null}}',
        '{"any":{"__proto__":{"a":1},"toString":2},"members":{"toString":"own","valueOf":null}}',
      ]);
    }
  });

  it('are cut into row groups by number and by size, and into files by size', async () => {
    const many = Array.from({ length: 25_000 }, (_, n) => ({ n }));
    const groups = async ({ folder, written }: Read) =>
      (await Promise.all(written.files.map(async (file) => (await parquetMetadata(path.join(folder, file.path))).row_groups))).flat();
    const byRows = await throughParquet(configOf('many', { n: z.int() }, many));
    expect((await groups(byRows)).map(({ num_rows }) => Number(num_rows))).toEqual([10_000, 10_000, 5_000]);
    const big = Array.from({ length: 10 }, (_, n) => ({ text: `${n}`.repeat(6 * 1024 * 1024) }));
    const bySize = await throughParquet(configOf('big', { text: z.string() }, big));
    expect((await groups(bySize)).map(({ num_rows }) => Number(num_rows))).toEqual([3, 3, 3, 1]);
    const sharded = await throughParquet(configOf('many', { n: z.int() }, many), { shardBytesMax: 1 });
    expect(sharded.written.files.map(({ path: file, rows }) => [file, rows])).toEqual([
      ['many/train-00000-of-00003.parquet', 10_000],
      ['many/train-00001-of-00003.parquet', 10_000],
      ['many/train-00002-of-00003.parquet', 5_000],
    ]);
    expect(sharded.duckdb).toEqual(many);
    expect(sharded.written.rowsSha256).toBe(byRows.written.rowsSha256);
  }, 60_000);

  it.each(['snappy', 'zstd'] as const)('are the same bytes when they are written again, %s', async (compression) => {
    const write = async () => {
      const folder = temporaryFolder();
      const { files } = await writeConfig(diskFiles(folder), configOf('again', everyKind, everyKindRows), {
        format: 'parquet',
        compression,
      });
      for (const file of files) expect(sha256(filesBelow(folder)[file.path] as Buffer)).toBe(file.sha256);
      return files;
    };
    expect(await write()).toEqual(await write());
  });
});

describe('rows as JSONL', () => {
  it('are one object per line, with columns in order and U+FFFD for lone surrogates, which are counted', async () => {
    const folder = temporaryFolder();
    const rows = [
      { b: '\ud800\u0000\u{1F600}', a: [1, { z: 1, a: null }] },
      { b: 'line\nbreak', a: null },
    ];
    const written = await writeConfig(diskFiles(folder), configOf('default', { b: z.string(), a: z.json() }, rows), {
      ...parquet,
      format: 'jsonl',
    });
    expect(filesBelow(folder)['data/train-00000-of-00001.jsonl']?.toString('utf8')).toBe(
      '{"b":"\uFFFD\\u0000\u{1F600}","a":[1,{"a":null,"z":1}]}\n{"b":"line\\nbreak","a":null}\n',
    );
    expect(written.rowsSha256).toBe(sha256(rows.map((row) => `${canonicalJson(row)}\n`).join('')));
    expect(written.replaced).toBe(1);
  });

  it('are read by DuckDB, whatever texts they hold', async () => {
    const folder = temporaryFolder();
    const texts = ['\ud800', 'x\udc00y\udfff', String.raw`\ud800`, String.raw`\\ud800`, '\u{1F600}', '"\\', ''];
    const rows = texts.map((text) => ({ text, any: { [`${text}z`]: [text], '\ue000': 1 } }));
    const written = await writeConfig(diskFiles(folder), configOf('default', { text: z.string(), any: z.json() }, rows), {
      ...parquet,
      format: 'jsonl',
    });
    expect(written.error).toBeNull();
    // The text, a name and an item of each of the first two rows.
    expect(written.replaced).toBe(6);
    const file = path.join(folder, 'data/train-00000-of-00001.jsonl');
    expect(filesBelow(folder)['data/train-00000-of-00001.jsonl']?.toString('utf8').split('\n')[0]).toBe(
      '{"text":"\uFFFD","any":{"\ue000":1,"\uFFFDz":["\uFFFD"]}}',
    );
    expect(await textsOfJsonl(file)).toEqual(texts.map((text) => text.toWellFormed()));
  });

  it('are cut into files too, and hash as in Parquet', async () => {
    const rows = Array.from({ length: 100 }, (_, n) => ({ n, text: 'x'.repeat(1_000) }));
    const config = configOf('some', { n: z.int(), text: z.string() }, rows);
    const jsonl = await writeConfig(diskFiles(temporaryFolder()), config, { ...parquet, format: 'jsonl', shardBytesMax: 30_000 });
    expect(jsonl.files.map(({ rows: many }) => many)).toEqual([30, 30, 30, 10]);
    expect(jsonl.rowsSha256).toBe((await writeConfig(diskFiles(temporaryFolder()), config, parquet)).rowsSha256);
  });
});
