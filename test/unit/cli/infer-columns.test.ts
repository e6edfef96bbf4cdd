import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { stringify } from 'csv-stringify/sync';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Columns, SourceStep } from '../../../src/pipeline/index.ts';
import { csv, jsonl, sampleFile } from '../../../src/steps/index.ts';
import { inferTextType, inferType, quote } from '../../../src/cli/infer-columns.ts';
import { inferColumns, pipelineText } from '../../../src/cli/pipeline-text.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-infer-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** The zod type that a piece of TypeScript means. */
// oxlint-disable-next-line no-new-func, no-implied-eval -- What is generated is code.
const zodOf = (text: string): z.ZodType => new Function('z', `return ${text}`)(z) as z.ZodType;

const jsonValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(null, 0, 1, 1.5, '', 'a', true) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom('a', 'b', 'c d', 'constructor', "it's"),
      fc.constantFrom<unknown>(null, 1, 'x', [], [1], [null, 'a'], { a: 1 }),
      { maxKeys: 3 },
    ),
  },
);

describe('the inferred type of values', () => {
  it.each<[unknown[], string]>([
    [[1, 2], 'z.int()'],
    [[1, 2.5], 'z.number()'],
    [[2 ** 60], 'z.number()'],
    [['a', ''], 'z.string()'],
    [[true, false, null], 'z.boolean().nullable()'],
    [[1, 'a'], 'z.json()'],
    [[null, null], 'z.json()'],
    [[[1], []], 'z.array(z.int())'],
    [[[], []], 'z.array(z.json())'],
    [[[null, 'a'], null], 'z.array(z.string().nullable()).nullable()'],
    [[{ a: 1, 'b c': 'x' }, { a: null }], "z.object({ a: z.int().nullable(), 'b c': z.string().optional() })"],
    [[{}], 'z.record(z.string(), z.json())'],
    [[{ constructor: 1 }], 'z.record(z.string(), z.int())'],
    [[Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`word${n}`, n]))], 'z.record(z.string(), z.int())'],
  ])('%j is %s', (values, type) => {
    expect(inferType(values)).toBe(type);
  });

  it('keeps the digits of integers that a number does not hold', () => {
    expect(inferType([2n ** 60n, 2n ** 61n])).toBe('z.string()');
    expect(inferType([2n ** 60n, 1, 'a'])).toBe('z.union([z.string(), z.int()])');
    expect(inferType([2n ** 60n, 1.5])).toBe('z.number()');
    expect(inferType([{ ids: [2n ** 60n] }])).toBe('z.object({ ids: z.array(z.string()) })');
  });

  it('accepts each of them, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(jsonValue, { minLength: 1, maxLength: 6 }), (values) => {
        const plain = JSON.parse(JSON.stringify(values)) as unknown[];
        const type = zodOf(inferType(plain));
        for (const value of plain) expect(type.safeParse(value).success, `${JSON.stringify(value)} is ${inferType(plain)}`).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[(string | null)[], string]>([
    [['1', '-2', null], 'z.int().nullable()'],
    [['1', '2.5', '1e3'], 'z.number()'],
    [['007', '1'], 'z.string()'],
    [['9007199254740993', '1'], 'z.string()'],
    [['1', ''], 'z.string()'],
    [['1.5', '9007199254740993'], 'z.string()'],
    [['+49301234', '1'], 'z.string()'],
    [['.5', '1'], 'z.string()'],
    [['[9007199254740993]', '[1]'], 'z.string()'],
    [[' 1', '2 '], 'z.int()'],
    [['true', 'False'], 'z.boolean()'],
    [['[1,2]', '[]'], 'z.array(z.int())'],
    [['{"a":1}', null], 'z.object({ a: z.int() }).nullable()'],
    [['[1', '[]'], 'z.string()'],
    [[null], 'z.string().nullable()'],
    [[], 'z.string()'],
  ])('of a CSV file: %j is %s', (texts, type) => {
    expect(inferTextType(texts)).toBe(type);
  });
});

describe('a pipeline for a file', () => {
  const itemsOf = async (source: SourceStep<Columns>) => {
    const all: unknown[] = [];
    const context = { offset: 0, signal: new AbortController().signal } as Parameters<NonNullable<typeof source.read>>[0];
    for await (const item of (await source.read?.(context)) ?? []) all.push(item);
    return all;
  };
  const columnsOf = async (file: string) => {
    const sample = await sampleFile(file, 200);
    const columns = inferColumns(sample);
    const text = pipelineText(file, path.join(folder, 'pipeline.ts'), sample, columns);
    const output = z.object(Object.fromEntries(columns.map(({ name, type }) => [name, zodOf(type)]))) as unknown as Columns;
    return { sample, text, output };
  };

  it('accepts every sampled row of any CSV file', async () => {
    const value = fc.oneof(
      fc.constantFrom(
        '',
        '0',
        '01',
        '-1',
        '1.5',
        '1e5',
        '1e999',
        'true',
        'False',
        'null',
        '[]',
        '{}',
        '[1,"a"]',
        '{"a":null}',
        ' 1',
        'NaN',
        '9007199254740993',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }).map((any) => any.toWellFormed()),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(value, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(',', ';', '\t'),
        async (table, delimiter) => {
          const file = path.join(folder, `${count++}.csv`);
          fs.writeFileSync(file, stringify([['first', 'second'], ...table], { delimiter, quoted_match: /[\r\n]/ }));
          const { output, sample } = await columnsOf(file);
          expect(await itemsOf(csv(file, { output, ...sample.dialect }))).not.toContainEqual(expect.any(Error));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('accepts every sampled row of any JSONL file', async () => {
    let count = 0;
    const row = fc.dictionary(fc.constantFrom('a', 'b c', "it's", 'class', 'ü'), jsonValue, { minKeys: 1, maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 6 }), async (rows) => {
        const file = path.join(folder, `${count++}.jsonl`);
        fs.writeFileSync(file, rows.map((each) => JSON.stringify(each)).join('\n'));
        const { output } = await columnsOf(file);
        expect(await itemsOf(jsonl(file, { output }))).not.toContainEqual(expect.any(Error));
      }),
      { numRuns: 200 },
    );
  });

  it('contains the delimiter and encoding if they are not the defaults', async () => {
    const file = path.join(folder, 'latin.csv');
    fs.writeFileSync(file, Buffer.from('stadt;größe\nKöln;1\n', 'latin1'));
    const { text } = await columnsOf(file);
    expect(text).toContain(`    csv(new URL('./latin.csv', import.meta.url), {
      delimiter: ';',
      encoding: 'windows-1252',
      output: z.object({
        stadt: z.string(),
        'größe': z.int(),
      }),
    }),`);
    expect(text).toContain('run: ({ stadt }) => ({ characters: stadt.length }),');
  });

  it('gives its example step’s column an unused name, and needs no text column', async () => {
    const file = path.join(folder, 'taken.jsonl');
    fs.writeFileSync(file, '{"characters":1,"textLength":2,"class":null}\n');
    const { text } = await columnsOf(file);
    expect(text).toContain('run: (row) => ({ characters2: JSON.stringify(row).length }),');
    fs.writeFileSync(file, '{"class":"a"}\n');
    expect((await columnsOf(file)).text).toContain("run: (row) => ({ characters: row['class'].length }),");
  });

  it('quotes texts without changing them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-eval -- As above.
        expect((0, eval)(quote(text))).toBe(text);
      }),
    );
    expect(quote(`it's "odd"`)).toBe(String.raw`'it\'s "odd"'`);
  });
});
