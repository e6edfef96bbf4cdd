import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { faultOf, planned } from './faults.ts';

const schemaOf = (column: z.ZodType) =>
  planned((source) => void source('s', { output: z.object({ c: column }), rows: [] })).definition.steps[0]?.columns[0]?.schema;

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
const tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get children() {
    return z.array(tree);
  },
});

describe('a column is recorded with the JSON Schema of its output', () => {
  it.each<[string, z.ZodType, object]>([
    ['text', z.string(), { type: 'string' }],
    ['a whole number', z.int32(), { type: 'integer', minimum: -2147483648, maximum: 2147483647 }],
    ['what may be null', z.string().nullable(), { type: ['string', 'null'] }],
    ['one of some', z.enum(['a', 'b']), { type: 'string', enum: ['a', 'b'] }],
    ['a literal', z.literal('a'), { type: 'string', const: 'a' }],
    ['a date in text', z.iso.datetime(), { type: 'string', format: 'date-time' }],
    ['a list', z.array(z.boolean()), { type: 'array', items: { type: 'boolean' } }],
    ['a record', z.record(z.string(), z.int()), { type: 'object' }],
    ['an object with a member that may be missing', z.object({ a: z.string().optional() }), { type: 'object' }],
    ['what has a default', z.string().default('x'), { type: 'string', default: 'x' }],
    ['what falls back', z.string().catch('x'), { type: 'string' }],
    ['text that was a number', z.string().transform(Number).pipe(z.int()), { type: 'integer' }],
    ['what was preprocessed', z.preprocess(String, z.string()), { type: 'string' }],
    ['text that is no longer optional', z.string().optional().default('x'), { type: 'string' }],
    ['a truth value in text', z.stringbool(), { type: 'boolean' }],
    ['a union', z.union([z.string(), z.int()]), {}],
    ['any JSON', z.json(), {}],
    ['a tree', tree, {}],
    ['a description', z.string().describe('what it is'), { description: 'what it is' }],
  ])('%s', (_what, column, schema) => {
    expect(schemaOf(column)).toMatchObject(schema);
  });
});

describe('a column is refused that could hold', () => {
  it.each<[string, z.ZodType, RegExp]>([
    ['anything', z.any(), /column c may be anything: use z\.json\(\)\.$/],
    ['the unknown', z.unknown(), /column c may be anything: use z\.json\(\)\.$/],
    ['anything in a member', z.object({ a: z.object({ b: z.any() }) }), /may be anything/],
    ['anything in a record', z.record(z.string(), z.unknown()), /may be anything/],
    ['anything behind a transform', z.string().transform(Number).pipe(z.any()), /may be anything/],
    ['members without a name', z.looseObject({ a: z.string() }), /may be anything/],
    ['dates without a name', z.object({}).catchall(z.date()), /is a Date/],
    ['a date in a tree', z.lazy(() => z.object({ at: z.date() })), /is a Date/],
    ['a date at the end of a list', z.tuple([z.string()]).rest(z.date()), /is a Date/],
    ['a date on one side', z.intersection(z.object({ a: z.string() }), z.object({ b: z.date() })), /is a Date/],
    ['what a codec makes', z.codec(z.string(), z.date(), { decode: (text) => new Date(text), encode: String }), /is a Date/],
    ['undefined in a list', z.array(z.string().optional()), /holds a list with undefined in it: use \.nullable\(\) there/],
    ['undefined in a pair', z.tuple([z.string(), z.int().optional()]), /holds a list with undefined in it/],
    ['a promise', z.promise(z.string()), /is a promise/],
    ['a file', z.file(), /is a file/],
    ['a bigint as one of some', z.literal(1n), /cannot be written as JSON Schema \(BigInt .*\): rows hold JSON only\.$/],
  ])('%s', (_what, column, says) => {
    expect(faultOf('invalid-pipeline', () => schemaOf(column)).message).toMatch(says);
  });

  it('more columns than can be stored, including those of its input', () => {
    const many = (from: number) => z.object(Object.fromEntries(Array.from({ length: 1_500 }, (_, i) => [`c${from + i}`, z.int()])));
    const { message } = faultOf('invalid-pipeline', () =>
      planned((source) => void source('s', { output: many(0), rows: [] }).map('m', { output: many(1_500), run: () => ({}) })),
    );
    expect(message).toMatch(/^Step m .*its rows have 3000 columns; at most 2000 are stored\.$/);
  });
});
