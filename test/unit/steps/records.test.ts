import fc from 'fast-check';
import { stringify } from 'csv-stringify/sync';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { csv } from '../../../src/steps/index.ts';
import { splitCsvFields } from '../../../src/steps/files/csv-fields.ts';
import { Records, type TextRecord } from '../../../src/steps/files/records.ts';
import { fileOf, itemsOf } from './reading.ts';

const comma = ','.charCodeAt(0);

/** The records of a text that comes in chunks of these sizes, in turn. */
function recordsOf(
  text: string,
  sizes: readonly number[],
  delimiter: number | undefined,
): readonly (Omit<TextRecord, 'bytes'> & { text: string })[] | string {
  const bytes = Buffer.from(text);
  const records = new Records({ name: 'file', delimiter });
  const found: TextRecord[] = [];
  try {
    for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
      const size = at === 0 ? Math.max(3, sizes[0] ?? 1) : (sizes[turn % sizes.length] ?? 1);
      found.push(...records.push(bytes.subarray(at, at + size)));
      at += size;
    }
    found.push(...records.end());
  } catch (error) {
    return (error as Error).message;
  }
  return found.map(({ bytes: own, ...rest }) => ({ ...rest, text: own.toString() }));
}

const pieces = fc
  .array(fc.constantFrom('a', 'é', '"', '""', ',', '\n', '\r\n', '\r', ' ', 'text'), { maxLength: 40 })
  .map((all) => all.join(''));
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('records of a text file', () => {
  it('are the same for any sizes of chunks', () => {
    fc.assert(
      fc.property(pieces, sizes, fc.constantFrom(undefined, comma), (text, chunks, delimiter) => {
        expect(recordsOf(text, chunks, delimiter)).toEqual(recordsOf(text, [1_000], delimiter));
      }),
      { numRuns: 2_000 },
    );
  });

  it('begin at their recorded line and byte', () => {
    fc.assert(
      fc.property(pieces, fc.constantFrom(undefined, comma), (text, delimiter) => {
        const bytes = Buffer.from(text);
        const records = recordsOf(text, [1_000], delimiter);
        if (typeof records === 'string') return;
        for (const record of records) {
          const rest = bytes.subarray(record.offset).toString();
          expect(rest.startsWith(record.text)).toBe(true);
          expect(rest.slice(record.text.length)).toMatch(/^(?:\r?\n|\r?$)/);
          expect(bytes.subarray(0, record.offset).toString().split('\n').length).toBe(record.line);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are always split into fields, whatever they hold', () => {
    fc.assert(
      fc.property(pieces, (text) => {
        const records = recordsOf(text, [1_000], comma);
        if (typeof records === 'string') return;
        for (const record of records) {
          const split = splitCsvFields(record.text, ',', record.hasQuotes);
          if ('at' in split) expect(record.text.slice(Math.max(0, split.at - 1), split.at + 1)).toMatch(/^"|\r$/);
          else expect(split.fields.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a CSV file of another writer', () => {
  it('is read correctly with any delimiter, quotes and line ends', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 10 }).map((any) => any.toWellFormed());
    const field = fc.oneof(text, fc.constantFrom('', '"', '""', ';', ',', '\n', '\r', '\r\n', '\t'));
    const output = z.object({ a: z.string(), b: z.string() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ a: field, b: field }), { maxLength: 8 }),
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        async (rows, delimiter, end, quoted) => {
          const written = stringify(rows, {
            header: true,
            columns: ['a', 'b'],
            delimiter,
            record_delimiter: end,
            quoted,
            quoted_empty: quoted,
            quoted_match: /[\r\n]/,
          });
          expect(await itemsOf(csv(fileOf(written, 'csv'), { output, delimiter }))).toEqual(rows);
        },
      ),
      { numRuns: 100 },
    );
  });
});
