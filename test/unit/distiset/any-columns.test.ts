import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeDistiset } from '../../../src/distiset/index.ts';
import { canonicalJson, type Json, type JsonObject } from '../../../src/kit/json.ts';
import { columnType, type ColumnType } from '../../../src/distiset/writers/column-type.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { readWithDuckdb } from './writers/duckdb.ts';
import { columnsOf, configOf, distisetOf, readWithHyparquet } from './writers/written.ts';

const folder = temporaryFolder();
let count = 0;

type Shape = Record<string, z.ZodType>;
type Codec = 'snappy' | 'zstd';

/** Writes rows as a directory, reads it with two readers, and expects what was written. */
async function expectSame(shape: Shape, rows: readonly JsonObject[], compression: Codec): Promise<void> {
  const directory = path.join(folder, String(count++));
  const { metadata } = await writeDistiset(distisetOf([configOf('default', shape, rows)]), { directory, compression, distilog: '0.0.0' });
  const columns = columnsOf(shape).map(({ name, schema }) => ({ name, type: columnType(schema) }));
  const files = metadata.configs[0]?.files.map((file) => path.join(directory, file.path)) ?? [];
  expect(metadata.configs[0]).toMatchObject({ rows: rows.length, error: null });
  const wanted = texts(rows.map((row) => Object.fromEntries(columns.map(({ name, type }) => [name, filled(row[name], type)]))));
  expect(texts(await readWithHyparquet(files, columns))).toEqual(wanted);
  expect(texts((await readWithDuckdb(path.join(directory, 'data/train-*'), columns)).rows)).toEqual(wanted);
}

const texts = (rows: readonly JsonObject[]): readonly string[] => rows.map((row) => canonicalJson(row));

/** A value as a file holds it: members that a row lacks are null. */
function filled(value: Json | undefined, type: ColumnType): Json {
  if (value === undefined || value === null) return null;
  if (type.kind === 'list') return (value as readonly Json[]).map((item) => filled(item, type.item));
  if (type.kind !== 'struct') return value;
  const members = value as JsonObject;
  return Object.fromEntries(
    type.fields.map((field) => [field.name, filled(Object.hasOwn(members, field.name) ? members[field.name] : null, field.type)]),
  );
}

/** A schema, and values that it allows. */
interface Kind {
  readonly schema: z.ZodType;
  readonly values: fc.Arbitrary<Json>;
}

// Files keep a byte order mark at the start of a text, but both readers decode texts with a TextDecoder, which drops it.
const text = fc.string({ unit: 'binary', maxLength: 12 }).map((any) => any.replace(/^\uFEFF+/, ''));
const safe = fc.maxSafeInteger();
const real = fc.double({ noNaN: true, noDefaultInfinity: true });
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);

const leaves = fc.constantFrom<Kind>(
  { schema: z.string(), values: text },
  { schema: z.int(), values: safe },
  { schema: z.number(), values: real },
  { schema: z.boolean(), values: fc.boolean() },
  { schema: z.enum(['a', 'b']), values: fc.constantFrom('a', 'b') },
  { schema: z.literal([1, 2.5]), values: fc.constantFrom(1, 2.5) },
  { schema: z.null(), values: fc.constant(null) },
  { schema: z.json(), values: json },
  { schema: z.union([z.string(), z.int()]), values: fc.oneof(text, safe) },
  { schema: z.record(z.string(), z.number()), values: fc.dictionary(text, real) as fc.Arbitrary<Json> },
);

const names = ['a', 'B', 'constructor', 'toString', 'with space', 'été', 'x.y', '7', 'element', 'list'];

/** Objects of given members; those that may be missing are, sometimes. */
const objectOf = (members: readonly (readonly [name: string, kind: Kind, isOptional: boolean])[]): Kind => ({
  schema: z.object(Object.fromEntries(members.map(([name, { schema }, isOptional]) => [name, isOptional ? schema.optional() : schema]))),
  values: fc
    .tuple(...members.map(([, { values }, isOptional]) => (isOptional ? fc.option(values, { nil: undefined }) : values)))
    .map((values) => {
      const entries = members.map(([name], index) => [name, values[index]] as const);
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Json;
    }),
});

const kinds = fc.letrec<{ kind: Kind }>((tie) => ({
  kind: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { arbitrary: leaves, weight: 4 },
    { arbitrary: tie('kind').map(({ schema, values }) => ({ schema: schema.nullable(), values: fc.option(values) })), weight: 2 },
    {
      arbitrary: tie('kind').map(({ schema, values }) => ({
        schema: z.array(schema),
        values: fc.array(values, { maxLength: 3 }) as fc.Arbitrary<Json>,
      })),
      weight: 2,
    },
    {
      arbitrary: tie('kind').map(({ schema, values }) => ({
        schema: z.tuple([schema, schema]),
        values: fc.tuple(values, values) as fc.Arbitrary<Json>,
      })),
      weight: 1,
    },
    {
      arbitrary: fc
        .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('kind'), fc.boolean()), {
          minLength: 1,
          maxLength: 4,
          selector: ([name]) => name,
        })
        .map(objectOf),
      weight: 2,
    },
  ),
})).kind;

const tables = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...names), kinds), { minLength: 1, maxLength: 4, selector: ([name]) => name })
  .chain((columns) => {
    const row = fc
      .tuple(...columns.map(([, { values }]) => values))
      .map((values) => Object.fromEntries(columns.map(([name], index) => [name, values[index] as Json])));
    const shape: Shape = Object.fromEntries(columns.map(([name, { schema }]) => [name, schema]));
    return fc.tuple(fc.constant(shape), fc.array(row, { maxLength: 12 }), fc.constantFrom<Codec>('snappy', 'zstd'));
  });

describe('a directory of any columns', () => {
  it('is read by hyparquet and DuckDB as it was written, row by row, in order', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ([shape, rows, compression]) => {
        await expectSame(shape, rows, compression);
      }),
      { numRuns: 100 },
    );
  });
});
