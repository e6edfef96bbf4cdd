// Files that are read back: every value of a column is unchanged, and the metadata of a file matches its rows.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../../../src/kit/json.ts';
import { compareRows } from '../../../../src/distiset/readers/compare-rows.ts';
import { diskFiles } from '../../../../src/distiset/writers/file-sink.ts';
import { writeConfig } from '../../../../src/distiset/writers/write-config.ts';
import { everyKind, everyKindRows } from '../writers/every-kind.ts';
import { configOf, temporaryFolder } from '../writers/written.ts';

const formats = ['parquet', 'jsonl', 'csv'] as const;
type Format = (typeof formats)[number];

const odd: readonly JsonObject[] = [
  '\ufeffmark',
  '\ud800 lone',
  '',
  ' ',
  '"',
  ',',
  '\r\n',
  '\u2028',
  '\0',
  '__proto__',
  "'",
  'null',
  '-0',
].map((text) => ({ ...everyKindRows[0], text, maybe: text, anything: text, tags: [text], scores: { constructor: 1 } }));
const rows = [...everyKindRows, ...odd];

async function written(format: Format, shape: Record<string, z.ZodType>, of: readonly JsonObject[], shardBytesMax?: number) {
  const folder = temporaryFolder();
  const config = configOf('rows', shape, of);
  const { files, columns, error } = await writeConfig(diskFiles(folder), config, { format, compression: 'zstd', shardBytesMax });
  expect(error).toBeNull();
  const compared = files.map((file) => ({ name: file.path, path: path.join(folder, file.path) }));
  const compare = (others = config) =>
    compareRows(others.blocks(), compared, { format, compression: 'zstd', csvEscapeFormulas: false, columns });
  return { compare, files: compared, rows: files.map((file) => file.rows) };
}

describe('rows that are read back', () => {
  it.each(formats)('are those that were written, whatever they hold (%s)', async (format) => {
    const { compare, rows: counts } = await written(format, everyKind, rows);
    expect(await compare()).toEqual({ difference: null, rows: counts });
  });

  it.each(formats)('are counted by file (%s)', async (format) => {
    const { compare, rows: counts } = await written(
      format,
      { text: z.string() },
      Array.from({ length: 30 }, (_, n) => ({ text: `${n}` })),
      40,
    );
    expect(await compare()).toEqual({ difference: null, rows: counts });
  });

  it('are read from a file whose columns have several pages and a page index', async () => {
    const long = Array.from({ length: 3_000 }, (_, n) => ({ text: `${n}`.padStart(1_000, 'x') }));
    const { compare } = await written('parquet', { text: z.string() }, long);
    expect(await compare()).toEqual({ difference: null, rows: [3_000] });
  });

  it.each(formats)('may be none (%s)', async (format) => {
    const { compare } = await written(format, everyKind, []);
    expect(await compare()).toEqual({ difference: null, rows: [0] });
  });

  it.each(formats.flatMap((format) => Object.keys(everyKind).map((column) => [format, column] as const)))(
    'differ in any column (%s, %s)',
    async (format, column) => {
      const { compare } = await written(format, everyKind, everyKindRows);
      const changed = everyKindRows.map((row, index) =>
        index === 1 ? { ...row, [column]: otherThan(row[column], everyKindRows[0]?.[column]) } : row,
      );
      const isNothingElse = column === 'nothing' || column === 'empty';
      if (isNothingElse) return;
      expect((await compare(configOf('rows', everyKind, changed))).difference).toMatch(/row 1 is [^]*, and the log has/);
    },
  );

  it.each<[string, string, string, RegExp]>([
    ['the least value of a column', 'aaaa-least', 'bbbb-least', /statistics of column text that do not match its rows/],
    ['the greatest value of a column', 'zzzz-most', 'mmmm-most', /statistics of column text that do not match its rows/],
    ['the name of a column', 'texts', 'taxes', /has other columns than the definition/],
  ])('are refused if a Parquet file has wrong metadata on %s', async (_what, from, to, expected) => {
    const shape = { text: z.string(), texts: z.int() };
    const { compare, files } = await written('parquet', shape, [
      { text: 'aaaa-least', texts: 1 },
      { text: 'zzzz-most', texts: 2 },
    ]);
    const file = files[0]?.path ?? '';
    const bytes = fs.readFileSync(file);
    const footer = bytes.byteLength - 8 - bytes.readUInt32LE(bytes.byteLength - 8);
    for (let at = bytes.indexOf(from, footer); at >= 0; at = bytes.indexOf(from, at)) bytes.write(to, at);
    fs.writeFileSync(file, bytes);
    expect((await compare()).difference).toMatch(expected);
  });

  const replaceBytes = (file: string, from: string, to: Buffer): void => {
    const bytes = fs.readFileSync(file);
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    fs.writeFileSync(file, Buffer.concat([bytes.subarray(0, at), to, bytes.subarray(at + Buffer.byteLength(from))]));
  };

  it.each(['\n', '\r'])(
    'are refused where a line break stands outside of quotes, which ends a row to other readers (csv, %j)',
    async (end) => {
      const { compare, files } = await written('csv', { n: z.int(), text: z.string() }, [{ n: 1, text: `one${end}forged` }]);
      replaceBytes(files[0]?.path ?? '', `"one${end}forged"`, Buffer.from(`one${end}forged`));
      expect((await compare()).difference).toMatch(/has a line break outside of quotes/);
    },
  );

  it.each(['csv', 'jsonl'] as const)(
    'are refused if the file has bytes that are not UTF-8 in place of a character of the log (%s)',
    async (format) => {
      const { compare, files } = await written(format, { text: z.string() }, [{ text: 'a\ufffdb' }]);
      replaceBytes(files[0]?.path ?? '', '\ufffd', Buffer.from([0xff]));
      expect((await compare()).difference).toMatch(/cannot be read as (csv|jsonl): .*not valid/);
    },
  );
});

/** A value that fits the column and is not the one that stands there. */
const otherThan = (value: unknown, other: unknown): never =>
  (JSON.stringify(value) === JSON.stringify(other) ? (everyKindRows[2]?.['text'] ?? null) : other) as never;
