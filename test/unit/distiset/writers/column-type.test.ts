import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../../../src/kit/json.ts';
import { columnType, typeName } from '../../../../src/distiset/writers/column-type.ts';
import { columnsOf } from './written.ts';

const nameOf = (schema: z.ZodType) => typeName(columnType(columnsOf({ column: schema })[0]?.schema as JsonObject));

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));

const nestedLists = (depth: number): z.ZodType => (depth === 0 ? z.string() : z.array(nestedLists(depth - 1)));

describe('a column’s type', () => {
  it.each<[string, z.ZodType, string]>([
    ['a string', z.string(), 'string'],
    ['a string or null', z.string().nullable(), 'string'],
    ['a date as text', z.iso.datetime(), 'string'],
    ['a URL', z.url(), 'string'],
    ['a template', z.templateLiteral(['a', z.int()]), 'string'],
    ['an int', z.int(), 'integer'],
    ['an int32', z.int32(), 'integer'],
    ['a positive int', z.int().positive().nullable(), 'integer'],
    ['a number', z.number(), 'double'],
    ['a number that is said to be safe', z.number().int(), 'integer'],
    ['a boolean', z.boolean(), 'boolean'],
    ['an enum', z.enum(['a', 'b']), 'string'],
    ['a nullable enum', z.enum(['a', 'b']).nullable(), 'string'],
    ['a literal', z.literal('a'), 'string'],
    ['whole literals', z.literal([1, 2]), 'integer'],
    ['a whole and a broken literal', z.literal([1, 2.5]), 'double'],
    ['literals of two kinds', z.literal(['a', 1]), 'json'],
    ['true or false', z.literal([true, false]), 'boolean'],
    ['null', z.null(), 'json'],
    ['two kinds', z.union([z.string(), z.int()]), 'json'],
    ['a string twice', z.union([z.string().min(2), z.url()]), 'string'],
    ['two kinds of number', z.union([z.int(), z.number()]), 'double'],
    ['a list', z.array(z.string()), 'list<string>'],
    ['a list of nullables, or null', z.array(z.int().nullable()).nullable(), 'list<integer>'],
    ['lists of lists', z.array(z.array(z.boolean())), 'list<list<boolean>>'],
    ['a list of anything', z.array(z.json()), 'json'],
    ['messages', z.array(z.object({ role: z.enum(['a']), content: z.string() })), 'list<struct<role: string, content: string>>'],
    ['an object with an optional member', z.object({ a: z.int().optional(), b: z.string() }), 'struct<a: integer, b: string>'],
    ['an object with a member of two kinds', z.object({ a: z.union([z.int(), z.string()]) }), 'struct<a: json>'],
    ['a strict object', z.strictObject({ a: z.int() }), 'struct<a: integer>'],
    ['a loose object', z.looseObject({ a: z.int() }), 'json'],
    ['an object with a catchall', z.object({ a: z.int() }).catchall(z.int()), 'json'],
    ['an object of nothing', z.object({}), 'json'],
    ['a record', z.record(z.string(), z.int()), 'json'],
    ['a record of known keys', z.record(z.enum(['a', 'b']), z.int()), 'json'],
    ['a tuple of one kind', z.tuple([z.number(), z.number()]), 'list<double>'],
    ['a tuple of two kinds', z.tuple([z.number(), z.string()]), 'json'],
    ['a tuple with a rest', z.tuple([z.string()], z.string()), 'list<string>'],
    ['a tuple with another rest', z.tuple([z.string()], z.int()), 'json'],
    [
      'a discriminated union',
      z.discriminatedUnion('t', [z.object({ t: z.literal('a') }), z.object({ t: z.literal('b') })]),
      'struct<t: string>',
    ],
    ['an intersection', z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })), 'struct<a: integer, b: integer>'],
    ['an intersection of others', z.intersection(z.string(), z.string()), 'json'],
    ['JSON', z.json(), 'json'],
    ['unknown', z.unknown(), 'json'],
    ['any', z.any(), 'json'],
    ['a tree', tree, 'struct<name: string, children: json>'],
    ['a member with an empty name', z.object({ '': z.int() }), 'json'],
    ['a member with U+0000 in its name', z.object({ 'a\u0000b': z.int() }), 'json'],
    ['a member with a lone surrogate in its name', z.object({ '\ud800': z.int() }), 'json'],
    ['a string with a default', z.string().default('a'), 'string'],
    ['what is readonly and branded', z.string().brand<'b'>().readonly(), 'string'],
  ])('of %s', (_kind, schema, name) => {
    expect(nameOf(schema)).toBe(name);
  });

  it('is JSON text if a record of known keys may have others', () => {
    expect(typeName(columnType({ type: 'object', properties: { a: { type: 'string' } }, patternProperties: {} }))).toBe('json');
  });

  it('is a double if no bounds ensure that 64 bits hold an integer', () => {
    expect(nameOf(z.int().min(-5).max(5))).toBe('integer');
    expect(typeName(columnType({ type: 'integer' }))).toBe('double');
    expect(typeName(columnType({ type: 'integer', minimum: 0 }))).toBe('double');
    expect(typeName(columnType({ type: 'integer', minimum: 0, maximum: 1e20 }))).toBe('double');
    expect(typeName(columnType({ type: 'integer', exclusiveMinimum: 0, maximum: 2 ** 53 }))).toBe('integer');
  });

  it('supports an array of types', () => {
    expect(typeName(columnType({ type: ['string', 'null'] }))).toBe('string');
    expect(typeName(columnType({ type: ['string', 'boolean'] }))).toBe('json');
  });

  it('is JSON text below twelve levels, and never __proto__', () => {
    expect(nameOf(nestedLists(12))).toBe(`${'list<'.repeat(12)}string${'>'.repeat(12)}`);
    expect(nameOf(nestedLists(13))).toBe('json');
    expect(nameOf(nestedLists(100))).toBe('json');
    const hostile = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}') as JsonObject;
    expect(typeName(columnType(hostile))).toBe('json');
  });
});
