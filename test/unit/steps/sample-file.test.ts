import { describe, expect, it } from 'vitest';
import { inferColumns, describeSample } from '../../../src/cli/pipeline-text.ts';
import { sampleFile } from '../../../src/steps/index.ts';
import { fileOf } from './reading.ts';

describe('the sample of a CSV file', () => {
  it.each([
    ['"id","name"\n1,"Ann"\n', ',', ['id', 'name']],
    ['"id";"name"\n1;"Ann"\n', ';', ['id', 'name']],
    ['"id"\t"name"\n1\t"Ann"\n', '\t', ['id', 'name']],
    ['\uFEFF"id","name"\n"1","Ann"\n', ',', ['id', 'name']],
    ['"id"\n1\n2\n', ',', ['id']],
    ['id,"full name",born\n1,"Ann",3\n', ',', ['id', 'full name', 'born']],
    ['"a;b;c;d",x\n1,2\n', ',', ['a;b;c;d', 'x']],
    ['Surname, first name;Born, year\nMeyer, Ann;1970\nKofi, Ama;1981\n', ';', ['Surname, first name', 'Born, year']],
    [
      'name;age;"notes\nfree, text, any, number, of, commas"\nAda;36;"x, y\n, z"\n',
      ';',
      ['name', 'age', 'notes\nfree, text, any, number, of, commas'],
    ],
    ['city|zip|remark\nUlm|089|"a;b;c;d;e"\n', '|', ['city', 'zip', 'remark']],
    ['a,b;c\n', ',', ['a', 'b;c']],
  ])('has the delimiter and the columns of its rows: %j', async (content, delimiter, columns) => {
    const sample = await sampleFile(fileOf(content, 'csv'), 200);
    expect({ delimiter: ',', ...sample.dialect }).toEqual({ delimiter });
    expect(sample.columns).toEqual(columns);
    expect(sample.broken).toEqual([]);
  });

  it('compares delimiters by rows of the whole file, and not only by the first ones', async () => {
    // The first rows have as many fields either way.
    const content = `a,b;c,d\n${'1,2;3,4\n'.repeat(150)}${'1;2\n'.repeat(10_000)}`;
    expect((await sampleFile(fileOf(content, 'csv'), 200)).dialect).toEqual({ delimiter: ';' });
  });

  it('also has rows from the rest of the file', async () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `${n},${n < 3_000 ? n : `x${n}`}`);
    const file = fileOf(`id,code\n${lines.join('\n')}\n`, 'csv');
    const sample = await sampleFile(file, 200);
    expect(inferColumns(sample)).toEqual([
      { name: 'id', type: 'z.int()' },
      { name: 'code', type: 'z.string()' },
    ]);
    expect(sample.rows.slice(0, 200).map(({ id }) => id)).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
    expect(sample.spread).toBeGreaterThan(180);
    expect(sample.spread).toBeLessThanOrEqual(201);
    expect(describeSample(sample)).toBe(`first 200 rows and ${sample.spread} rows spread over the rest`);
  });

  it('has all rows on request', async () => {
    const file = fileOf(`a\n${'1\n'.repeat(3_000)}x\n${'1\n'.repeat(3_000)}`, 'csv');
    const sample = await sampleFile(file, Infinity);
    expect(sample.rows).toHaveLength(6_001);
    expect(inferColumns(sample)).toEqual([{ name: 'a', type: 'z.string()' }]);
    expect(describeSample(sample)).toBe('first 6,001 rows');
  });
});

describe('the sample of a JSONL file', () => {
  it('also has rows from the rest of the file', async () => {
    const lines = Array.from({ length: 301 }, (_, n) => (n < 300 ? `{"a":${n}}` : '{"a":"x"}'));
    const file = fileOf(lines.join('\n'), 'jsonl');
    expect(inferColumns(await sampleFile(file, 200))).toEqual([{ name: 'a', type: 'z.json()' }]);
  });
});
