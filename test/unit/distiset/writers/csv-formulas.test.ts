import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDistiset, verifyDistiset, writeDistiset } from '../../../../src/distiset/index.ts';
import { resolveAsOf } from '../../../../src/log/index.ts';
import { pipeline } from '../../../../src/pipeline/index.ts';
import { escapeFormula } from '../../../../src/distiset/writers/csv-formula.ts';
import { ran } from '../../engine/engine.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', "'=1", "''=1", '=', "=cmd|' /C calc'!A0"];
const harmless = ['1', 'a=b', "'quoted'", '', ' =1', '"=1"', '{"a":1}'];

/** A run whose rows and column names look like formulas. */
const sheet = ran(
  pipeline('sheet', ({ source }) => {
    source('rows', {
      output: z.object({ '=text': z.string().nullable(), number: z.int(), any: z.json() }),
      rows: [...formulas, ...harmless].map((text, index) => ({ '=text': text, number: -index, any: index % 2 ? text : -index })),
    });
  }),
);

async function exported(csvEscapeFormulas: boolean | undefined) {
  const { store, runId } = await sheet;
  const directory = path.join(temporaryFolder(), 'out');
  const asOf = await resolveAsOf(store.log, runId, { kind: 'head' });
  const { metadata } = await writeDistiset(await createDistiset(store, runId, { asOf }), {
    directory,
    format: 'csv',
    distilog: '0',
    csvEscapeFormulas,
  });
  const text = fs.readFileSync(path.join(directory, 'data/train-00000-of-00001.csv'), 'utf8');
  return { store, directory, metadata, records: parse(text) as string[][] };
}

describe('a CSV file', () => {
  it('has unchanged texts unless the option to escape formulas is set', async () => {
    const { records, metadata } = await exported(undefined);
    expect(records.map(([text]) => text)).toEqual(['=text', ...formulas, ...harmless]);
    expect(metadata.options.csvEscapeFormulas).toBe(false);
  });

  it('has an apostrophe before each text and column name that a spreadsheet would run, and unchanged numbers', async () => {
    const { store, directory, records, metadata } = await exported(true);
    expect(records.map(([text]) => text)).toEqual(["'=text", ...formulas.map((text) => `'${text}`), ...harmless]);
    expect(records.slice(1).map(([, number]) => number)).toEqual([...formulas, ...harmless].map((_, index) => `${-index || 0}`));
    for (const record of records.slice(1)) for (const field of [record[0], record[2]]) expect(field).not.toMatch(/^[=+@\t\r\n＝]|^-\D/);
    expect(metadata.options.csvEscapeFormulas).toBe(true);
    const card = fs.readFileSync(path.join(directory, 'README.md'), 'utf8');
    const front = parseYaml(card.split('---\n')[1] ?? '') as { dataset_info: { features: { name: string }[] }[] };
    expect(front.dataset_info[0]?.features[0]?.name).toBe("'=text");
    expect(card).toContain('In the CSV files an apostrophe stands before each text that a spreadsheet would take for a formula');
    expect(await verifyDistiset(store, directory)).toMatchObject({ ok: true, differences: [] });
  });

  it('is verified with the option in its metadata, also row by row', async () => {
    const { store, directory } = await exported(true);
    const file = path.join(directory, 'distilog.json');
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, text.replace('"csvEscapeFormulas": true', '"csvEscapeFormulas": false'));
    expect(await verifyDistiset(store, directory)).toMatchObject({ ok: false });
    fs.writeFileSync(file, text.replace(/"library": ".*"/, '"library": "other 1.0.0"'));
    expect(await verifyDistiset(store, directory)).toMatchObject({ ok: true });
  });

  it('loses nothing: without the apostrophe, an escaped text is the original', () => {
    const unescape = (text: string) => text.replace(/^'(?='*[=+\-@\t\r\n＝＋－＠])/, '');
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(...formulas, ...harmless), fc.stringMatching(/^'*[=a].*$/)), (text) => {
        expect(unescape(escapeFormula(text))).toBe(text);
      }),
    );
  });
});
