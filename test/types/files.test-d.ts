// File sources: what must compile, and what must not. Checked by `tsc`; nothing here runs.
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type { Builder, Node } from '../../src/pipeline/index.ts';
import { csv, jsonl, parquet } from '../../src/steps/index.ts';

declare const { source }: Builder<{}>;
/** The row type of a node, written out. */
declare function row<R>(node: Node<R>): { [K in keyof R]: R[K] };

const output = z.object({ text: z.string(), year: z.int().nullable(), tags: z.array(z.string()), level: z.int().default(1) });

// Rows are what zod makes of the columns.

interface Row {
  text: string;
  year: number | null;
  tags: string[];
  level: number;
}
expectTypeOf(row(source('a', jsonl('rows.jsonl', { output })))).toEqualTypeOf<Row>();
expectTypeOf(row(source('b', csv('rows.csv', { output, delimiter: ';', encoding: 'windows-1252' })))).toEqualTypeOf<Row>();
expectTypeOf(row(source('c', parquet(new URL('file:///rows.parquet'), { output, batchSize: 10, onError: 'fail' })))).toEqualTypeOf<Row>();
source('k', jsonl('rows.jsonl', { output: z.object({ id: z.string() }), key: 'id' }));
// @ts-expect-error -- A key is a column.
source('l', parquet('rows.parquet', { output: z.object({ id: z.string() }), key: 'ids' }));
source('d', csv('rows.csv', { output: z.object({ text: z.string() }) })).map('e', {
  output: z.object({ length: z.int() }),
  // @ts-expect-error there is no such column
  run: ({ texts }) => ({ length: texts.length }),
});

// Columns that cannot be stored.

// @ts-expect-error a Date
source('f', csv('rows.csv', { output: z.object({ at: z.date() }) }));
// @ts-expect-error unnamed columns
source('g', jsonl('rows.jsonl', { output: z.looseObject({}) }));

// Options that there are not.

// @ts-expect-error no such option
csv('rows.csv', { output, separator: ';' });
// @ts-expect-error no such encoding
csv('rows.csv', { output, encoding: 'utf-16' });
// @ts-expect-error its lines are in UTF-8
jsonl('rows.jsonl', { output, encoding: 'windows-1252' });
// @ts-expect-error columns have to be declared
parquet('rows.parquet', {});
