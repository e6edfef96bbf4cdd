import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { inferTextType } from '../../../src/cli/infer-columns.ts';
import { inferColumns } from '../../../src/cli/pipeline-text.ts';
import { csv, jsonl, sampleFile } from '../../../src/steps/index.ts';
import { isExact } from '../../../src/steps/files/long-number.ts';
import { fileOf, itemsOf } from './reading.ts';

describe('a decimal number', () => {
  it.each([
    '0',
    '-0',
    '0.000',
    '1',
    '0.1',
    '1.50',
    '1e3',
    '9007199254740991',
    '9007199254740992',
    '100000000000000000000',
    '0.30000000000000004',
    '5e-324',
  ])('is exact: %s', (text) => expect(isExact(text)).toBe(true));

  it.each([
    '9007199254740993',
    '1790000000000000123',
    '9007199254740993.0',
    '0.12345678901234567891',
    '1e400',
    '1e-400',
    `1.${'1'.repeat(200)}`,
  ])('is not exact: %s', (text) => expect(isExact(text)).toBe(false));

  it('is exact in every form in which programs write a number', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, fc.integer({ min: 17, max: 40 }), (value, digits) => {
        for (const text of [String(value), value.toPrecision(17), value.toPrecision(digits), value.toExponential(18)])
          if (!/^-?\d+$/.test(text) || text === String(value)) expect(isExact(text), text).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is exact as an integer only if its number is written with the same digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 69n), max: 2n ** 69n }), (value) => {
        expect(isExact(String(value))).toBe(String(Number(value)) === String(value));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a number in a JSONL file', () => {
  const lines = [
    '{"id":1790000000000000123,"score":1.5}',
    '{"id":1790000000000000124,"score":2}',
    '{"id":1790000000000000256,"score":9007199254740993}',
  ];
  const file = fileOf(lines.join('\n'), 'jsonl');

  it('keeps all its digits in a column of texts, and is rejected where it would be rounded', async () => {
    expect(await itemsOf(jsonl(file, { output: z.object({ id: z.string(), score: z.number() }) }))).toEqual([
      { id: '1790000000000000123', score: 1.5 },
      { id: '1790000000000000124', score: 2 },
      'invalid-value: file.jsonl:3, column score: a number does not hold 9007199254740993 exactly. Declare the value as z.string(), which keeps its digits.',
    ]);
    expect(await itemsOf(jsonl(file, { output: z.object({ id: z.number() }) }))).toEqual([
      expect.stringContaining('file.jsonl:1, column id: a number does not hold 1790000000000000123 exactly.'),
      expect.stringContaining('file.jsonl:2, column id: a number does not hold 1790000000000000124 exactly.'),
      expect.stringContaining('file.jsonl:3, column id: a number does not hold 1790000000000000256 exactly.'),
    ]);
  });

  it('gets a type from init with which no digit is lost', async () => {
    expect(inferColumns(await sampleFile(file, 200))).toEqual([
      { name: 'id', type: 'z.string()' },
      { name: 'score', type: 'z.number()' },
    ]);
  });

  it('is exact within lists and objects, and is ignored in columns that are not declared', async () => {
    const text = '{"ids":[1790000000000000123],"meta":{"id":1790000000000000123},"other":1790000000000000123}';
    const output = z.object({ ids: z.array(z.string()), meta: z.object({ id: z.union([z.string(), z.int()]) }) });
    expect(await itemsOf(jsonl(fileOf(text, 'jsonl'), { output }))).toEqual([
      { ids: ['1790000000000000123'], meta: { id: '1790000000000000123' } },
    ]);
    expect(await itemsOf(jsonl(fileOf(text, 'jsonl'), { output: z.object({ ids: z.json() }) }))).toEqual([
      expect.stringMatching(/^invalid-value: .*column ids/),
    ]);
  });

  it('is rejected if it is beyond the range of a number', async () => {
    const output = z.object({ a: z.number() });
    expect(await itemsOf(jsonl(fileOf('{"a":1e400}\n{"a":1e-400}\n{"a":0.1234567890123456789}', 'jsonl'), { output }))).toEqual([
      expect.stringContaining('file.jsonl:1, column a: a number does not hold 1e400 exactly.'),
      expect.stringContaining('file.jsonl:2, column a: a number does not hold 1e-400 exactly.'),
      expect.stringContaining('file.jsonl:3, column a: a number does not hold 0.1234567890123456789 exactly.'),
    ]);
  });
});

describe('a number in a CSV file', () => {
  const read = (texts: readonly string[], column: z.ZodType) =>
    itemsOf(
      csv(fileOf(`a,b\n${texts.map((text) => `"${text.replaceAll('"', '""')}",x`).join('\n')}`, 'csv'), {
        output: z.object({ a: column, b: z.string() }) as never,
      }),
    );

  it.each(['01067', '+491701234567', '+1', '.5', '5.', '0x10', 'Infinity', '9007199254740993', '1e400', '0.12345678901234567891'])(
    'is rejected in a column of numbers with its place, because init calls it a text: %s',
    async (text) => {
      expect(inferTextType([text])).toBe('z.string()');
      for (const column of [z.int(), z.number(), z.int().nullable()])
        expect(await read([text], column)).toEqual([expect.stringMatching(/^invalid-value: file\.csv:2, column a: expected /)]);
      expect(await read([text], z.string())).toEqual([{ a: text, b: 'x' }]);
      expect(await read([text], z.union([z.string(), z.int()]))).toEqual([{ a: text, b: 'x' }]);
      expect(await read([text], z.json())).toEqual([{ a: text, b: 'x' }]);
    },
  );

  it('has no exponent in a column of integers', async () => {
    expect(await read(['1e3', '5.0'], z.int())).toEqual([
      'invalid-value: file.csv:2, column a: expected an integer, got "1e3".',
      { a: 5, b: 'x' },
    ]);
    expect(await read(['1e3', '1.0', '7'], z.union([z.string(), z.int()]))).toEqual([
      { a: '1e3', b: 'x' },
      { a: '1.0', b: 'x' },
      { a: 7, b: 'x' },
    ]);
  });

  it('is rejected in a list that a number does not hold exactly', async () => {
    expect(await read(['[9007199254740993]'], z.array(z.number()))).toEqual([
      'invalid-value: file.csv:2, column a: expected numbers that are held exactly, and 9007199254740993 is not, got "[9007199254740993]".',
    ]);
  });
});
