import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalJson, type Json, type JsonObject } from '../../../src/kit/json.ts';
import type { Columns, SourceStep } from '../../../src/pipeline/index.ts';
import { csv, jsonl, parquet } from '../../../src/steps/index.ts';
import { diskFiles } from '../../../src/distiset/writers/file-sink.ts';
import { writeConfig, type WriteConfigOptions } from '../../../src/distiset/writers/write-config.ts';
import { everyKind, everyKindRows } from '../distiset/writers/every-kind.ts';
import { configOf } from '../distiset/writers/written.ts';
import { itemsOf, temporaryFolder } from './reading.ts';

type Format = WriteConfigOptions['format'];
type Codec = WriteConfigOptions['compression'];
type Shape = Record<string, z.ZodType<Json, Json>>;

const readers = { csv, jsonl, parquet } as const;
const formats = ['csv', 'jsonl', 'parquet'] as const;

/** Writes rows to a file and reads them back. */
async function thereAndBack(
  shape: Shape,
  rows: readonly JsonObject[],
  format: Format,
  compression: Codec,
  offset = 0,
): Promise<readonly unknown[]> {
  const folder = temporaryFolder();
  const { files, error } = await writeConfig(diskFiles(folder), configOf('rows', shape, rows), { format, compression });
  expect(error).toBeNull();
  const output = z.object(shape) as unknown as Columns;
  const source: SourceStep<Columns> = readers[format](path.join(folder, files[0]?.path ?? ''), { output });
  const count = source.count as () => Promise<number>;
  expect(await count()).toBe(rows.length);
  const items = await itemsOf(source, offset);
  fs.rmSync(folder, { recursive: true });
  return items.map((item) => (typeof item === 'string' ? item : output.parse(item)));
}

interface Kind {
  readonly schema: z.ZodType<Json, Json>;
  readonly values: fc.Arbitrary<Json>;
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((any) => any.toWellFormed()),
  fc.constantFrom('', ' ', '"', '""', 'a,b', 'a"b', '\r\n', '\r', '\n', 'null', 'true', '1', '\uFEFF', '{"a":1}', "'=1+1"),
);
const real = fc.double({ noNaN: true, noDefaultInfinity: true });
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value).toWellFormed()) as Json);

const leaves = fc.constantFrom<Kind>(
  { schema: z.string(), values: text },
  { schema: z.int(), values: fc.maxSafeInteger() },
  { schema: z.number(), values: real },
  { schema: z.boolean(), values: fc.boolean() },
  { schema: z.enum(['a', '1']), values: fc.constantFrom('a', '1') },
  { schema: z.literal([1, 2.5]), values: fc.constantFrom(1, 2.5) },
  { schema: z.literal(['a', 1]), values: fc.constantFrom<Json>('a', 1) },
  { schema: z.json() as unknown as z.ZodType<Json, Json>, values: json },
  { schema: z.union([z.string(), z.int()]), values: fc.oneof<[fc.Arbitrary<Json>, fc.Arbitrary<Json>]>(text, fc.maxSafeInteger()) },
  { schema: z.record(z.string(), z.number()), values: fc.dictionary(fc.string(), real) as fc.Arbitrary<Json> },
);

const names = ['a', 'B', 'x.y', 'constructor', 'toString', 'with, comma', 'été', 'x"y', '7', 'element', 'list'];

const kinds = fc.letrec<{ kind: Kind }>((tie) => ({
  kind: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { arbitrary: leaves, weight: 4 },
    { arbitrary: tie('kind').map(({ schema, values }) => ({ schema: schema.nullable(), values: fc.option(values) })), weight: 3 },
    {
      arbitrary: tie('kind').map(
        ({ schema, values }): Kind => ({
          schema: z.array(schema),
          values: fc.array(values, { maxLength: 3 }) as fc.Arbitrary<Json>,
        }),
      ),
      weight: 2,
    },
    {
      arbitrary: fc
        .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('kind')), { minLength: 1, maxLength: 3, selector: ([name]) => name })
        .map(
          (members): Kind => ({
            schema: z.object(Object.fromEntries(members.map(([name, { schema }]) => [name, schema]))) as unknown as Kind['schema'],
            values: fc
              .tuple(...members.map(([, { values }]) => values))
              .map((values) => Object.fromEntries(members.map(([name], index) => [name, values[index] as Json]))),
          }),
        ),
      weight: 2,
    },
  ),
})).kind;

// Two columns at least: of a row whose only field is empty, CSV cannot tell whether it is null or an empty text.
const tables = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...names), kinds), { minLength: 2, maxLength: 4, selector: ([name]) => name })
  .chain((columns) =>
    fc.tuple(
      fc.constant<Shape>(Object.fromEntries(columns.map(([name, { schema }]) => [name, schema]))),
      fc.array(
        fc
          .tuple(...columns.map(([, { values }]) => values))
          .map((values): JsonObject => Object.fromEntries(columns.map(([name], index) => [name, values[index] as Json]))),
        { maxLength: 12 },
      ),
      fc.constantFrom<Codec>('snappy', 'zstd'),
      fc.nat(12),
    ),
  );

const texts = (rows: readonly unknown[]): readonly string[] => rows.map((row) => canonicalJson(row));

describe('a table', () => {
  it.each(formats)('of every kind of column is unchanged after a round trip through a %s file', async (format) => {
    // Without `constructor` as an optional member: zod finds that of every object where it is missing.
    const shape = { ...everyKind, meta: everyKind.meta.omit({ constructor: true }) } as unknown as Shape;
    const given = everyKindRows.map(
      (row) => ({ ...row, meta: { ...(row['meta'] as JsonObject), constructor: undefined } }) as unknown as JsonObject,
    );
    expect(texts(await thereAndBack(shape, JSON.parse(JSON.stringify(given)) as JsonObject[], format, 'snappy'))).toEqual(texts(given));
  });

  it.each(formats)(
    'of any columns is unchanged after a round trip through a %s file, from any row on',
    { timeout: 120_000 },
    async (format) => {
      await fc.assert(
        fc.asyncProperty(tables, async ([shape, rows, compression, from]) => {
          expect(texts(await thereAndBack(shape, rows, format, compression, from))).toEqual(texts(rows.slice(from)));
        }),
        { numRuns: 150 },
      );
    },
  );
});
