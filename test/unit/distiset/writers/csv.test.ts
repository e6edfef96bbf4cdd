import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Json, JsonObject } from '../../../../src/kit/json.ts';
import { sha256 } from '../../../../src/kit/sha256.ts';
import { writeDistiset } from '../../../../src/distiset/index.ts';
import { readCsvWithDuckdb } from './duckdb.ts';
import { everyKind, everyKindRows } from './every-kind.ts';
import { configOf, distisetOf, filesBelow, temporaryFolder } from './written.ts';

async function write(shape: Record<string, z.ZodType>, rows: Iterable<JsonObject>) {
  const directory = path.join(temporaryFolder(), 'out');
  const { metadata } = await writeDistiset(distisetOf([configOf('default', shape, rows)]), { directory, format: 'csv', distilog: '0.0.0' });
  const files = filesBelow(directory);
  return { directory, metadata, files, text: String(files['data/train-00000-of-00001.csv']) };
}

describe('a distiset as CSV', () => {
  it('has a header, a line for each row, empty fields for null and JSON text for nested values', async () => {
    const shape = { n: z.int().nullable(), t: z.string().nullable(), l: z.array(z.int()), s: z.object({ a: z.string() }), any: z.json() };
    const rows = [
      { n: 1, t: 'a "b", c', l: [1, 2], s: { a: 'é' }, any: 'text' },
      { n: null, t: '', l: [], s: { a: '' }, any: null },
      { n: -3, t: null, l: [0], s: { a: '\n' }, any: { deep: true } },
      { n: 0, t: 'two\nlines', l: [], s: { a: ',' }, any: 1.5 },
    ];
    const { text, files, metadata } = await write(shape, rows);
    expect(text.split('\r\n')).toEqual([
      'n,t,l,s,any',
      '1,"a ""b"", c","[1,2]","{""a"":""é""}","""text"""',
      ',"",[],"{""a"":""""}",',
      String.raw`-3,,[0],"{""a"":""\n""}","{""deep"":true}"`,
      '0,"two\nlines",[],"{""a"":"",""}",1.5',
      '',
    ]);
    expect(metadata.configs[0]?.files).toEqual([
      { path: 'data/train-00000-of-00001.csv', rows: 4, bytes: Buffer.byteLength(text), sha256: sha256(text) },
    ]);
    expect(metadata.configs[0]?.columns.map(({ type }) => type)).toEqual(['integer', 'string', 'json', 'json', 'json']);
    expect(metadata.writer).toMatchObject({
      format: 'csv',
      compression: null,
      library: expect.stringMatching(/^csv-stringify \d+\.\d/) as string,
    });
    const card = String(files['README.md']);
    expect(card).toContain('In the CSV files null is an empty field');
    const front = parseYaml(card.split('---\n')[1] ?? '') as { configs: unknown; dataset_info: { features: unknown }[] };
    expect(front.configs).toEqual([{ config_name: 'default', data_files: [{ split: 'train', path: 'data/train-*' }] }]);
    expect(front.dataset_info[0]?.features).toEqual([
      { name: 'n', dtype: 'int64' },
      { name: 't', dtype: 'string' },
      ...['l', 's', 'any'].map((name) => ({ name, dtype: 'string' })),
    ]);
  });

  it('has a header even without rows, and replaces and counts what UTF-8 cannot hold', async () => {
    expect((await write({ n: z.int(), t: z.string() }, [])).text).toBe('n,t\r\n');
    const { text, metadata } = await write({ t: z.string(), n: z.int() }, [{ t: 'a\ud800', n: 1 }]);
    expect(text).toBe('t,n\r\na\ufffd,1\r\n');
    expect(metadata.configs[0]?.replaced).toBe(1);
  });

  it('shows a null in its only column, because readers skip blank lines', async () => {
    expect((await write({ n: z.int().nullable() }, [{ n: 1 }, { n: null }, { n: 2 }])).text).toBe('n\r\n1\r\n""\r\n2\r\n');
  });

  it('is streamed: many rows make several writes of one file, with one header', async () => {
    const rows = Array.from({ length: 12_345 }, (_, n) => ({ n, t: 'x'.repeat(n % 300) }));
    const { text } = await write({ n: z.int(), t: z.string() }, rows);
    expect(text.split('\r\n')).toHaveLength(12_347);
    expect(text.match(/n,t/g)).toHaveLength(1);
  });

  it('is read by DuckDB as it was written', async () => {
    const { directory } = await write(everyKind, everyKindRows.map(withoutNul));
    const names = Object.keys(everyKind);
    const rows = await readCsvWithDuckdb(`${directory}/data/train-*`, names);
    const types = new Map(
      (JSON.parse(fs.readFileSync(path.join(directory, 'distilog.json'), 'utf8')) as Written).configs[0]?.columns.map(({ name, type }) => [
        name,
        type,
      ]),
    );
    const asWritten = (name: string, text: string | null): Json =>
      text === null || types.get(name) === 'string' ? text : (JSON.parse(text) as Json);
    expect(rows.map((row) => Object.fromEntries(names.map((name) => [name, asWritten(name, row[name] ?? null)])))).toEqual(
      everyKindRows.map(withoutNul),
    );
  });

  it('is read by another parser as it was written, whatever its texts', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 10 }).map((any) => any.toWellFormed());
    const field = fc.option(fc.oneof(text, fc.constantFrom('', '"', '""', ',', '\n', '\r', '\r\n', ' ')), { freq: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field, field), { maxLength: 10 }), async (table) => {
        const shape = { a: z.string().nullable(), b: z.string().nullable(), c: z.string().nullable() };
        const rows = table.map(([a, b, c]) => ({ a, b, c }));
        const { text: written, directory } = await write(shape, rows);
        const read: unknown = parse(written, {
          columns: true,
          recordDelimiter: '\r\n',
          cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
        });
        expect(read).toEqual(rows);
        fs.rmSync(directory, { recursive: true });
      }),
      { numRuns: 100 },
    );
  });
});

interface Written {
  readonly configs: readonly { readonly columns: readonly { readonly name: string; readonly type: string }[] }[];
}

/** DuckDB's CSV reader takes U+0000 for the end of a text. */
const withoutNul = (row: JsonObject): JsonObject => ({ ...row, text: (row['text'] as string).replace('\u0000', '') });
