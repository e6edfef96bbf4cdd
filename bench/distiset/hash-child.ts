// Does the work that every export in one thread of JavaScript needs, and nothing else: hash-child.ts JSONL. Starts with uncompressed columns in memory,
// parses them, makes canonical JSON of each row and hashes it. Reads from no store and writes nothing.
import { printMeasurement } from '../measured-process.ts';
import { LinesHash } from '../../src/distiset/writers/lines-hash.ts';
import { blockTexts } from '../../src/distiset/writers/row-text.ts';
import { batchSize } from '../engine/pipelines.ts';
import { columnsOfJsonl } from './columns-of-jsonl.ts';
import type { Json } from '../../src/kit/json.ts';

const [jsonl = ''] = process.argv.slice(2);
const { names, stored } = encodeColumns(jsonl);
await printMeasurement(async () => {
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

/** Returns the columns of each batch as JSON. */
function encodeColumns(file: string): { readonly names: readonly string[]; readonly stored: readonly (readonly Buffer[])[] } {
  const { count, columns } = columnsOfJsonl(file);
  const stored = Array.from({ length: Math.ceil(count / batchSize) }, (_, batch) =>
    columns.map(({ values }) => Buffer.from(JSON.stringify(values.slice(batch * batchSize, (batch + 1) * batchSize)))),
  );
  return { names: columns.map(({ name }) => name), stored };
}
