import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { csv, jsonl, parquet } from '../../../src/steps/index.ts';
import { fileOf, itemsOf, refusalOf, temporaryFolder } from './reading.ts';

const output = z.object({ name: z.string(), year: z.int().nullable() });

describe('a JSONL file', () => {
  const read = (content: string | Uint8Array, offset = 0) => itemsOf(jsonl(fileOf(content, 'jsonl'), { output }), offset);

  it('is read with any line ends, blank lines and byte order mark', async () => {
    const rows = [
      { name: 'a', year: 1 },
      { name: 'b', year: null },
    ];
    for (const content of [
      '{"name":"a","year":1}\n{"name":"b","year":null}\n',
      '{"name":"a","year":1}\r\n\r\n  \t\r\n{"name":"b"}',
      '\uFEFF\n{"name":"a","year":1}\n\n\n{"name":"b"}\n\n',
    ])
      expect(await read(content)).toEqual(rows);
    expect(await read('')).toEqual([]);
    expect(await read('\n\n')).toEqual([]);
    expect(await read('{"name":"a"}\n{"name":"b"}\n{"name":"c"}', 2)).toEqual([{ name: 'c', year: null }]);
    expect(await read('{"name":"a"}\n', 5)).toEqual([]);
  });

  it.each([
    ['{"name":"a",}', 'file.jsonl:2, column 13: expected a name in double quotes, got "}".'],
    ['{"name":a}', 'file.jsonl:2, column 9: expected a value, got "a".'],
    ["{'name':1}", 'file.jsonl:2, column 2: expected a name in double quotes, or "}", got "\'".'],
    ['{"name":"a"', 'file.jsonl:2, column 12: expected "," or "}", got the end of the line.'],
    ['{"name" "a"}', 'file.jsonl:2, column 9: expected ":" after the name, got "\\"".'],
    ['{"name":"a"} {}', 'file.jsonl:2, column 14: expected the end of the line, got "{".'],
    ['{"name":"a', 'file.jsonl:2, column 11: expected a closing " of the text, got the end of the line.'],
    ['{"name":"a\tb"}', 'file.jsonl:2, column 11: expected no control character: write it as an escape, got "\\t".'],
    ['{"name":"\\x"}', 'file.jsonl:2, column 10: expected an escape such as \\n, \\" or \\u00e9, got "\\\\".'],
    ['{"name":[1,2}', 'file.jsonl:2, column 13: expected "," or "]", got "}".'],
    ['{"name":01}', 'file.jsonl:2, column 10: expected "," or "}", got "1".'],
    ['name,year', 'file.jsonl:2, column 1: expected a value, got "n".'],
    ['[1]', 'file.jsonl:2: expected one object per line, got an array.'],
    ['null', 'file.jsonl:2: expected one object per line, got null.'],
  ])('rejects only the row of a line that is not an object: %s', async (line, message) => {
    expect(await read(`{"name":"a"}\n${line}\n{"name":"b"}`)).toEqual([
      { name: 'a', year: null },
      `invalid-line: ${message}`,
      { name: 'b', year: null },
    ]);
  });

  it('names the line of a value that does not match its column', async () => {
    expect(await read('\n{"name":1}\n{"name":"b","year":1.5}\n{"year":1}')).toEqual([
      'invalid-value: file.jsonl:2: column name: expected string, got 1',
      'invalid-value: file.jsonl:3: column year: expected int, got 1.5',
      'invalid-value: file.jsonl:4: column name: expected string, got undefined',
    ]);
  });

  it('finds the error in any text that JSON.parse refuses', async () => {
    const { findJsonProblem } = await import('../../../src/steps/files/json-problem.ts');
    const whole = JSON.stringify({ a: [1, -2.5e3, true, null, { 'b"': 'c\u0001' }], d: {} });
    for (let cut = 0; cut < whole.length; cut++) {
      expect(findJsonProblem(whole.slice(0, cut)).at).toBeLessThanOrEqual(cut);
      for (const char of ['x', '"', '}', ']', ',', ':', '\\']) {
        const text = whole.slice(0, cut) + char + whole.slice(cut + 1);
        if (isJson(text)) continue;
        const { at } = findJsonProblem(text);
        expect(at).toBeLessThanOrEqual(text.length);
      }
    }
  });

  it('refuses bytes that are not UTF-8 and names the first', async () => {
    const latin1 = Buffer.concat([Buffer.from('{"name":"a"}\n{"name":"caf'), Buffer.of(0xe9), Buffer.from('"}\n')]);
    expect(await refusalOf(jsonl(fileOf(latin1, 'jsonl'), { output }))).toMatch(
      /^source-unreadable: file.jsonl:2: byte 25 of the file \(0xe9\) is not UTF-8\./,
    );
    expect(await refusalOf(jsonl(fileOf(Buffer.from('\uFEFF{}', 'utf16le'), 'jsonl'), { output }))).toMatch(/is in UTF-16/);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('a CSV file', () => {
  const of = (content: string | Uint8Array, options: { delimiter?: string; encoding?: 'windows-1252' } = {}) =>
    csv(fileOf(content, 'csv'), { output, ...options });

  it('is read with any line ends, quotes, order of columns and byte order mark', async () => {
    const rows = [
      { name: 'a, b', year: 1 },
      { name: 'say "hi"\nthere', year: null },
      { name: '', year: null },
    ];
    for (const content of [
      'name,year\r\n"a, b",1\r\n"say ""hi""\nthere",\r\n"",\r\n',
      '\uFEFFyear,other,name\n 1 ,x,"a, b"\n\n"",x,"say ""hi""\nthere"\n,x,',
    ])
      expect(await itemsOf(of(content))).toEqual(rows);
    expect(await itemsOf(of('name;year\na, b;1', { delimiter: ';' }))).toEqual([rows[0]]);
    expect(await itemsOf(of('name,year\n'))).toEqual([]);
    expect(await itemsOf(of('name,year\n5" disk,1\n'))).toEqual([{ name: '5" disk', year: 1 }]);
    expect(await itemsOf(of('name,year\na,1\n"b\nb",2\n\nc,3\n'), 2)).toEqual([{ name: 'c', year: 3 }]);
  });

  it('converts texts to the types of the columns', async () => {
    const kinds = z.object({
      whole: z.int(),
      real: z.number().nullable(),
      yes: z.boolean(),
      tags: z.array(z.string()),
      meta: z.object({ a: z.int() }).nullable(),
      either: z.union([z.string(), z.int()]),
      any: z.json(),
      choice: z.enum(['1', '2']),
      level: z.int().default(7),
    });
    const header = 'whole,real,yes,tags,meta,either,any,choice,level\n';
    const file = fileOf(`${header}-5.0,0.5e1,True,"[""x""]","{""a"":1}",007,"{""deep"":[1]}",1,\n1,,false,[],,12,plain,2,3\n`, 'csv');
    expect(await itemsOf(csv(file, { output: kinds }))).toEqual([
      { whole: -5, real: 5, yes: true, tags: ['x'], meta: { a: 1 }, either: '007', any: { deep: [1] }, choice: '1' },
      { whole: 1, real: null, yes: false, tags: [], meta: null, either: 12, any: 'plain', choice: '2', level: 3 },
    ]);
  });

  it('rejects lines with missing fields, too many fields or values that do not match', async () => {
    const lines = ['name,year', 'a,1', 'b', 'c,2,3', '"d\nd",many', '"e"e,1', 'f,1.5', 'g,9007199254740993', 'h,1e999', '"i",4'];
    expect(await itemsOf(of(lines.join('\n')))).toEqual([
      { name: 'a', year: 1 },
      'invalid-line: file.csv:3: 1 field, and the header has 2.',
      'invalid-line: file.csv:4: 3 fields, and the header has 2: put quotes around a text with a delimiter in it.',
      'invalid-value: file.csv:5, column year: expected an integer or nothing, got "many".',
      'invalid-line: file.csv:7, character 4: expected the end of the field after its closing quote (double a quote that is part of the text).',
      'invalid-value: file.csv:8, column year: expected an integer or nothing, got "1.5".',
      'invalid-value: file.csv:9, column year: expected an integer that a number holds exactly (use z.string() for longer ones), got "9007199254740993".',
      'invalid-value: file.csv:10, column year: expected a number that fits into 64 bits, got "1e999".',
      { name: 'i', year: 4 },
    ]);
    expect(await itemsOf(csv(fileOf('n\nx\n""\n', 'csv'), { output: z.object({ n: z.int() }) }))).toEqual([
      'invalid-value: file.csv:2, column n: expected an integer, got "x".',
      'invalid-value: file.csv:3, column n: expected an integer, got nothing.',
    ]);
  });

  it('rejects lines with blanks before quotes and with other line ends among them', async () => {
    const content = 'name,year\r\n"a" ,1\n "b, c",2\nd, "3"\ne,4\rf,5\ng\rh,6\n"i\rj",7\r\n"k\r\nl",8\nm,9\r\r\n5" disk,10\n';
    const end = String.raw`expected a carriage return only within quotes or before a line feed (convert other line ends: tr '\r' '\n' < FILE > NEW-FILE).`;
    expect(await itemsOf(of(content))).toEqual([
      'invalid-line: file.csv:2, character 4: expected the end of the field after its closing quote (double a quote that is part of the text).',
      'invalid-line: file.csv:3, character 3: expected no blanks before the quote that opens the field.',
      'invalid-line: file.csv:4, character 5: expected no blanks before the quote that opens the field.',
      `invalid-line: file.csv:5, character 4: ${end}`,
      `invalid-line: file.csv:6, character 2: ${end}`,
      { name: 'i\rj', year: 7 },
      { name: 'k\r\nl', year: 8 },
      `invalid-line: file.csv:10, character 4: ${end}`,
      { name: '5" disk', year: 10 },
    ]);
  });

  it.each([
    ['a missing column', 'name,date\n', 'file.csv has no column year; it has name, date. Add it to the file, or remove it from output.'],
    [
      'another delimiter',
      'name;year\n',
      'file.csv has no column name, year; it has "name;year". Is the delimiter ";"? Then set delimiter: ";".',
    ],
    ['a column twice', 'name,year,name\n', 'file.csv has two columns name, so the name is ambiguous. Rename one in the file.'],
    [
      'carriage returns for line ends',
      'name,years\ra,1\r',
      String.raw`file.csv:1, character 11: expected a carriage return only within quotes or before a line feed (convert other line ends: tr '\r' '\n' < FILE > NEW-FILE) in the line that names the columns.`,
    ],
    [
      'carriage returns for line ends, and the right names',
      'name,year\ra,1\r',
      String.raw`file.csv:1, character 10: expected a carriage return only within quotes or before a line feed (convert other line ends: tr '\r' '\n' < FILE > NEW-FILE) in the line that names the columns.`,
    ],
    [
      'a line for spreadsheets first',
      'sep=;\nname;year\na;1\n',
      'file.csv:1: "sep=;" is a setting for spreadsheets, and not a line that names the columns. Remove the line and set delimiter: ";".',
    ],
    [
      'blanks before quotes in the header',
      '"name", "year"\n',
      'file.csv:1, character 10: expected no blanks before the quote that opens the field in the line that names the columns.',
    ],
    ['nothing in it', '', 'file.csv is empty. Its first line must name its columns.'],
    [
      'a quote that is not closed',
      'name,year\na,1\n"b\nb",2\nc,"3\nd,4\n',
      'file.csv:5: a quote is opened in this line and never closed. Close it, or double it if it is part of the text.',
    ],
  ])('with %s is refused', async (_name, content, message) => {
    expect(await refusalOf(of(content))).toBe(`source-unreadable: ${message}`);
  });

  it('in Latin-1 is refused, naming the byte, and read with encoding windows-1252', async () => {
    const latin1 = Buffer.concat([Buffer.from('name,year\n"caf\n'), Buffer.of(0xe9), Buffer.from('",1\n')]);
    expect(await refusalOf(of(latin1))).toBe(
      "source-unreadable: file.csv:3: byte 15 of the file (0xe9) is not UTF-8. If the file is in Latin-1 or Windows-1252, set encoding: 'windows-1252'. Otherwise convert it with iconv.",
    );
    expect(await itemsOf(of(latin1, { encoding: 'windows-1252' }))).toEqual([{ name: 'caf\né', year: 1 }]);
  });

  it('is refused with an unsupported delimiter or encoding', () => {
    expect(() => of('', { delimiter: '::' })).toThrow(/delimiter is one character of ASCII/);
    expect(() => of('', { encoding: 'koi8' as 'windows-1252' })).toThrow(/encoding is utf-8 or windows-1252/);
  });
});

describe('a path that is not a file', () => {
  const folder = temporaryFolder();

  it.each([
    ['nothing', path.join(folder, 'none.csv'), /There is no file .*none\.csv/],
    ['a folder', folder, /is a folder/],
    ['within a file', path.join(fileOf('x'), 'y'), /a part of its path is a file/],
    ['a device', '/dev/null', /is not a regular file/],
  ])('is refused: %s', async (_name, file, says) => {
    for (const source of [csv(file, { output }), jsonl(file, { output }), parquet(file, { output })]) {
      expect(await refusalOf(source)).toMatch(says);
      expect(await (source.count as () => Promise<number>)()).toBeNaN();
      await expect((source.origin as () => Promise<unknown>)()).rejects.toMatchObject({ code: 'source-unreadable' });
    }
  });

  it.skipIf(process.getuid?.() === 0)('is refused: no permission', async () => {
    const file = fileOf('name,year\n');
    fs.chmodSync(file, 0o000);
    expect(await refusalOf(csv(file, { output }))).toMatch(/lacks the permission/);
  });

  it('is refused when the pipeline is defined: an address', () => {
    expect(() => csv('https://example.org/rows.csv', { output })).toThrow(/is not a file on this machine/);
    expect(() => csv(new URL('https://example.org/rows.csv'), { output })).toThrow(/is not a file on this machine/);
    expect(() => csv('', { output })).toThrow(/does not name a file/);
  });
});
