// Does what no export of ours in one thread of JavaScript can do without, and nothing else: hash-child.ts JSONL. What is stored lies in memory, a piece a
// column, plain; it is parsed, every row is made canonical JSON, and that is hashed. Nothing is read from a store, and nothing is written.
import { tell } from '../measured-process.ts';
import { LinesHash } from '../../src/distiset/writers/lines-hash.ts';
import { blockTexts } from '../../src/distiset/writers/row-text.ts';
import { batchSize } from '../engine/pipelines.ts';
import { columnsOfJsonl } from './columns-of-jsonl.ts';
import type { Json } from '../../src/kit/json.ts';

const [jsonl = ''] = process.argv.slice(2);
const { names, stored } = storedColumns(jsonl);
await tell(async () => {
  const textsOf = blockTexts(names);
  const hash = new LinesHash();
  let rows = 0;
  for (const columns of stored) {
    const values = columns.map((bytes) => JSON.parse(bytes.toString('utf8')) as readonly Json[]);
    const { count, texts } = textsOf({ count: values[0]?.length ?? 0, values });
    for (const text of texts) hash.add(text);
    rows += count;
  }
  hash.end();
  return rows;
});

/** Each batch's columns as JSON. */
function storedColumns(file: string): { readonly names: readonly string[]; readonly stored: readonly (readonly Buffer[])[] } {
  const { count, columns } = columnsOfJsonl(file);
  const stored = Array.from({ length: Math.ceil(count / batchSize) }, (_, batch) =>
    columns.map(({ values }) => Buffer.from(JSON.stringify(values.slice(batch * batchSize, (batch + 1) * batchSize)))),
  );
  return { names: columns.map(({ name }) => name), stored };
}
