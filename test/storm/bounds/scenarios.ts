// Scenarios that run at full size and at a tenth of it. Both must need about the same memory.
import { z } from 'zod';
import { pipeline, type Builder, type Pipeline } from '../../../src/pipeline/index.ts';

export interface Scenario {
  /** The promised size. Its unit depends on the pipeline. */
  readonly size: number;
  /** Returns how many rows the dataset has at a size. */
  readonly rows: (size: number) => number;
  readonly of: (size: number) => Pipeline;
  /** The size in bytes at which an export begins its next file, in scenarios about that. */
  readonly shardBytesMax?: number | undefined;
}

export interface Measured {
  readonly rest: string;
  readonly rows: number;
  readonly files: number;
  readonly events: number;
  readonly peakMb: number;
  /** The largest size of the graph's state as JSON. */
  readonly graphBytes: number;
  readonly seconds: Readonly<Record<string, number>>;
}

const text = (n: number) => `row ${n} ${'lorem ipsum '.repeat(10)}`;
/** Returns ten megabytes of text that differ from row to row. */
const large = (n: number) => `${n} `.repeat(Math.ceil(10_000_000 / `${n} `.length)).slice(0, 10_000_000);

const numbered = (source: Builder<{}>['source'], size: number, batchSize: number) =>
  source('all', {
    output: z.object({ n: z.int() }),
    batchSize,
    read: function* ({ offset }) {
      for (let n = offset; n < size; n++) yield { n };
    },
  });

export const scenarios: Readonly<Record<string, Scenario>> = {
  rows: {
    size: 2_000_000,
    rows: (size) => size - Math.ceil(size / 10),
    of: (size) =>
      pipeline('rows', ({ source }) => {
        numbered(source, size, 1_000)
          .map('text', { output: z.object({ text: z.string() }), run: ({ n }) => ({ text: text(n) }) })
          .map('length', { output: z.object({ length: z.int() }), run: (row) => ({ length: row.text.length }) })
          .filter('most', { keep: ({ n }) => n % 10 !== 0 });
      }),
  },
  batches: {
    size: 100_000,
    rows: (size) => size,
    of: (size) =>
      pipeline('batches', ({ source }) => {
        numbered(source, size, 1).map('text', { output: z.object({ text: z.string() }), run: ({ n }) => ({ text: text(n) }) });
      }),
  },
  global: {
    size: 500_000,
    rows: (size) => size,
    of: (size) =>
      pipeline('global', ({ source }) => {
        numbered(source, size, 1_000).global('copied', {
          output: z.object({ text: z.string() }),
          run: async function* (rows) {
            for await (const { n } of rows) yield { text: text(n) };
          },
        });
      }),
  },
  'fan-out': {
    size: 200,
    rows: (size) => size * 10_000,
    of: (size) =>
      pipeline('fan-out', ({ source }) => {
        numbered(source, size, 1_000).flatMap('many', {
          output: z.object({ copy: z.int() }),
          run: function* () {
            for (let copy = 0; copy < 10_000; copy++) yield { copy };
          },
        });
      }),
  },
  'large-rows': {
    size: 200,
    rows: (size) => size,
    of: (size) =>
      pipeline('large-rows', ({ source }) => {
        source('all', {
          output: z.object({ n: z.int(), text: z.string() }),
          read: function* ({ offset }) {
            for (let n = offset; n < size; n++) yield { n, text: large(n) };
          },
        })
          .map('length', { output: z.object({ length: z.int() }), run: (row) => ({ length: row.text.length }) })
          .filter('whole', { keep: ({ length }) => length === 10_000_000 });
      }),
  },
  'large-answers': {
    size: 100,
    rows: (size) => size * 2,
    of: (size) =>
      pipeline('large-answers', ({ source }) => {
        numbered(source, size, 100).flatMap('two', {
          output: z.object({ text: z.string() }),
          run: function* ({ n }) {
            yield { text: large(n) };
            yield { text: large(n + 1) };
          },
        });
      }),
  },
  'large-lists': {
    size: 200,
    rows: (size) => size,
    of: (size) =>
      pipeline('large-lists', ({ source }) => {
        numbered(source, size, 1_000)
          .mapBatch(
            'text',
            { batchSize: 4, output: z.object({ text: z.string() }), run: (rows) => rows.map(({ n }) => ({ text: large(n) })) },
            // The rows in flight decide the memory. A tenth of the rows has to fill all lanes, too.
            { concurrency: 2 },
          )
          .drop('short', ['n']);
      }),
  },
  chain: {
    size: 999,
    rows: () => 50,
    of: (size) =>
      pipeline('chain', ({ source }) => {
        let node = numbered(source, 50, 10) as ReturnType<ReturnType<typeof numbered>['filter']>;
        for (let step = 0; step < size; step++)
          node =
            step % 2 === 0
              ? node.filter(`step${step}`, { keep: () => true })
              : (node.replace(`step${step}`, { output: z.object({ n: z.int() }), run: ({ n }) => ({ n: n + 1 }) }) as typeof node);
      }),
  },
  shards: {
    size: 1_000,
    // A row group has 10,000 rows, and a file at least one of them.
    rows: (size) => size * 10_000,
    shardBytesMax: 1,
    of: (size) =>
      pipeline('shards', ({ source }) => {
        numbered(source, size * 10_000, 1_000);
      }),
  },
};
