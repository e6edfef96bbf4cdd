import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { secret } from '../../../src/pipeline/index.ts';
import { parseParamOptions } from '../../../src/cli/parse-params.ts';

describe('a param on the command line is parsed by its schema:', () => {
  it.each<[string, z.ZodType, string, unknown]>([
    ['text', z.string(), '5', '5'],
    ['a coerced number', z.coerce.number(), '7', 7],
    ['a number that has a default', z.int().default(3), '7', 7],
    ['a number behind a preprocessing', z.preprocess((value) => value, z.int()), '7', 7],
    ['a number behind a name', z.lazy(() => z.int()), '7', 7],
    ['a truth value', z.boolean().default(true), 'false', false],
    ['text that stands for a truth value', z.stringbool(), 'true', 'true'],
    ['a number that may be null', z.int().nullable(), 'null', null],
    ['text that may be null: text', z.string().nullable(), 'null', 'null'],
    ['an object', z.object({ a: z.int() }), '{"a":1}', { a: 1 }],
    ['a record', z.record(z.string(), z.int()), '{"a":1}', { a: 1 }],
    ['a tuple that may be missing', z.tuple([z.int()]).optional(), '[1]', [1]],
    ['one of some numbers', z.literal([1, 2]), '2', 2],
    ['one of some texts', z.enum(['5', 'a']), '5', '5'],
    ['text or number: a number where it can be', z.union([z.string(), z.number()]), '5', 5],
    ['text or number: text where it must be', z.union([z.string(), z.number()]), 'five', 'five'],
    ['text or list: a list where it can be', z.union([z.string(), z.array(z.string())]), '["a"]', ['a']],
    ['any JSON: JSON', z.json(), '{"a":[true]}', { a: [true] }],
    ['any JSON: text', z.json(), 'not {json', 'not {json'],
    ['a date: text', z.iso.date(), '2026', '2026'],
    ['a secret, whatever it looks like', secret(), '12345', '12345'],
    ['a secret that could be a number', secret().or(z.int()), '12345', '12345'],
  ])('%s', (_what, member, text, value) => {
    expect(parseParamOptions(z.object({ param: member }), [`param=${text}`], {})).toEqual({ param: value });
  });
});
