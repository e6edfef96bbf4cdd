// Uses that must compile, and uses that must not. Checked by `tsc`; nothing here runs.
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import {
  pipeline,
  renamed,
  resource,
  secret,
  step,
  type Builder,
  type MapStep,
  type Node,
  type Pipeline,
  type RowsOf,
} from '../../src/pipeline/index.ts';

declare const { source }: Builder<{}>;
/** The row type of a node, written out. */
declare function row<R>(node: Node<R>): { [K in keyof R]: R[K] };

const words = source('words', { output: z.object({ lemma: z.string(), gloss: z.string() }), rows: [] });
const text = z.object({ text: z.string() });
const asked = words.map('asked', { output: z.object({ instruction: z.string() }), run: ({ lemma }) => ({ instruction: lemma }) });

// Rows follow from the steps.

expectTypeOf(row(words)).toEqualTypeOf<{ lemma: string; gloss: string }>();
// @ts-expect-error the test itself is strict
expectTypeOf(row(words)).toEqualTypeOf<{ lemma: string; gloss: number }>();
expectTypeOf(row(asked)).toEqualTypeOf<{ lemma: string; gloss: string; instruction: string }>();
const kept = words.filter('kept', { keep: async ({ gloss }, { signal }) => !signal.aborted && gloss !== '' });
expectTypeOf(row(kept)).toEqualTypeOf<{ lemma: string; gloss: string }>();
expectTypeOf(row(asked.select('s', ['instruction', 'lemma']))).toEqualTypeOf<{ instruction: string; lemma: string }>();

// A column that was left out may come again, with another type.
const again = words
  .select('l', ['lemma'])
  .map('again', { output: z.object({ gloss: z.int() }), run: ({ lemma }) => ({ gloss: lemma.length }) });
expectTypeOf(row(again)).toEqualTypeOf<{ lemma: string; gloss: number }>();

// A literal stays a literal, in nested places, sync or async.
words.map('w', {
  output: z.object({
    label: z.enum(['a', 'b']),
    tags: z.array(z.enum(['x'])),
    at: z.tuple([z.literal(1), z.string()]),
    u: z.discriminatedUnion('t', [z.object({ t: z.literal('n'), n: z.int() }), z.object({ t: z.literal('s') })]),
  }),
  run: () => ({ label: 'a', tags: ['x'], at: [1, ''], u: { t: 'n', n: 1 } }),
});
words.map('w', { output: z.object({ label: z.enum(['a', 'b']) }), run: async ({ gloss }) => ({ label: gloss ? 'a' : 'b' }) });

// `run` returns zod's input; later steps get its output.
const parsed = words.map('w', {
  output: z.object({
    n: z.coerce.number(),
    d: z.string().default('x'),
    l: z
      .string()
      .transform((s) => s.length)
      .pipe(z.int()),
  }),
  run: () => ({ n: '3', l: 'abc' }),
});
expectTypeOf(row(parsed)).toEqualTypeOf<{ lemma: string; gloss: string; n: number; d: string; l: number }>();

// Any JSON can be a column: null, records, optional members, times as text.
words.map('w', {
  output: z.object({
    v: z.string().nullable(),
    j: z.json(),
    r: z.record(z.string(), z.json()),
    o: z.object({ maybe: z.string().optional() }),
    at: z.iso.datetime(),
  }),
  run: () => ({ v: null, j: { a: [1] }, r: {}, o: {}, at: '' }),
});

// Sources: an array, an iterable, a function, a generator that begins at an offset.
source('s', { output: text, rows: new Set([{ text: '' }]), count: 1 });
source('s', { output: text, rows: async () => [{ text: '' }], count: async () => 1 });
source('s', {
  output: text,
  read: async function* ({ offset, signal }) {
    if (!signal.aborted) yield { text: String(offset) };
  },
});
source('s', { output: text, rows: [] }, { batchSize: 10, retry: { attempts: 2 } });
source('s', { output: text, rows: [], key: 'text' });
// @ts-expect-error -- A key is a column.
source('s', { output: text, rows: [], key: 'texts' });

// Uses that must not compile.

// @ts-expect-error no such column
words.map('w', { output: text, run: ({ lema }) => ({ text: lema }) });
// @ts-expect-error wrong type
words.map('w', { output: text, run: ({ lemma }) => ({ text: lemma.length }) });
// @ts-expect-error wrong type from a promise
words.map('w', { output: text, run: async ({ lemma }) => ({ text: lemma.length }) });
// @ts-expect-error column missing from the result
words.map('w', { output: text, run: () => ({}) });
// @ts-expect-error nothing returned
words.map('w', { output: text, run: () => {} });
// @ts-expect-error not one of the labels
words.map('w', { output: z.object({ label: z.enum(['a', 'b']) }), run: () => ({ label: 'c' }) });
// @ts-expect-error the column exists
words.map('w', { output: z.object({ gloss: z.string() }), run: () => ({ gloss: '' }) });
// @ts-expect-error a Date
words.map('w', { output: z.object({ at: z.date() }), run: () => ({ at: new Date() }) });
// @ts-expect-error a Date of a source
source('s', { output: z.object({ at: z.date() }), rows: [] });
// @ts-expect-error a bigint
words.map('w', { output: z.object({ n: z.bigint() }), run: () => ({ n: 1n }) });
// @ts-expect-error an optional column
words.map('w', { output: z.object({ t: z.string().optional() }), run: () => ({}) });
// @ts-expect-error unknown
words.map('w', { output: z.object({ t: z.unknown() }), run: () => ({ t: 1 }) });
// @ts-expect-error any
words.map('w', { output: z.object({ t: z.any() }), run: () => ({ t: 1 }) });
// @ts-expect-error a Map
words.map('w', { output: z.object({ t: z.map(z.string(), z.string()) }), run: () => ({ t: new Map() }) });
// @ts-expect-error a Set
words.map('w', { output: z.object({ t: z.set(z.string()) }), run: () => ({ t: new Set() }) });
// @ts-expect-error a Date deep inside
words.map('w', { output: z.object({ t: z.array(z.object({ d: z.date() })) }), run: () => ({ t: [] }) });
// @ts-expect-error a transform returns a Date
words.map('w', { output: z.object({ t: z.string().transform((s) => new Date(s)) }), run: () => ({ t: '' }) });
// @ts-expect-error unnamed columns
words.map('w', { output: z.looseObject({ t: z.string() }), run: () => ({ t: '' }) });
// @ts-expect-error unnamed columns of a source
source('s', { output: z.looseObject({ t: z.string() }), rows: [] });
// @ts-expect-error a transform around the object
words.map('w', { output: text.transform((t) => t), run: () => ({ text: '' }) });
// @ts-expect-error an option misspelt
words.map('w', { output: text, run: () => ({ text: '' }), concurency: 3 });
// @ts-expect-error an option misspelt in the overrides
words.map('w', { output: text, run: () => ({ text: '' }) }, { concurency: 3 });
// @ts-expect-error neither of the two
words.map('w', { output: text, run: () => ({ text: '' }), onError: 'ignore' });
// @ts-expect-error rows or read
source('s', { output: text });
// @ts-expect-error not both
source('s', { output: text, rows: [], read: () => [] });
// @ts-expect-error wrong rows
source('s', { output: text, rows: [{ txt: '' }] });
// @ts-expect-error no such column
words.select('s', ['lema']);
// @ts-expect-error a selection calls no function
words.select('s', ['lemma'], { concurrency: 2 });
// @ts-expect-error the column was left out
words.select('s', ['lemma']).filter('f', { keep: ({ gloss }) => gloss !== '' });
// @ts-expect-error keep says yes or no
words.filter('w', { keep: ({ lemma }) => lemma });
// @ts-expect-error an async definition
pipeline('p', async () => {});
// @ts-expect-error leaves have names
pipeline('p', (build) => build.source('s', { output: text, rows: [] }));
// @ts-expect-error a returned value is not a node
pipeline('p', () => ({ leaf: 'words' }));

// Steps for many pipelines.

const answer = step.map({
  id: 'example/answer',
  version: 1,
  input: z.object({ instruction: z.string() }),
  output: z.object({ answer: z.string() }),
  run: ({ instruction }) => ({ answer: instruction }),
});
const short = step.filter({
  id: 'example/short',
  version: 1,
  input: z.object({ gloss: z.string() }),
  keep: ({ gloss }) => gloss.length < 9,
});
expectTypeOf(answer).toExtend<MapStep<{ instruction: string }, z.ZodObject<{ answer: z.ZodString }>>>();
expectTypeOf(row(asked.map('a', answer, { concurrency: 3 }))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  instruction: string;
  answer: string;
}>();
expectTypeOf(row(words.filter('f', short))).toEqualTypeOf<{ lemma: string; gloss: string }>();
expectTypeOf(row(words.map('a', renamed(answer, { instruction: 'gloss', answer: 'reply' })))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  reply: string;
}>();
// @ts-expect-error the step lacks its input
words.map('a', answer);
// @ts-expect-error the filter lacks its input
words.select('s', ['lemma']).filter('f', short);
// @ts-expect-error the column that it is renamed to does not exist
words.map('a', renamed(answer, { instruction: 'glos' }));
// @ts-expect-error the step has no such column
renamed(answer, { instrution: 'gloss' });
// @ts-expect-error the name it is renamed to is taken
words.map('a', renamed(answer, { instruction: 'gloss', answer: 'lemma' }));
// @ts-expect-error a shared step must have a version
step.map({ id: 'x', input: text, output: z.object({ n: z.int() }), run: () => ({ n: 1 }) });
// @ts-expect-error a filter where a map is wanted
words.map('f', short);

// A function over nodes takes every node that has its columns.
const withScore = <R extends { gloss: string }>(node: Node<R>) =>
  node
    .map('score', { output: z.object({ score: z.int() }), run: ({ gloss }) => ({ score: gloss.length }) })
    .map('twice', { output: z.object({ twice: z.int() }), run: ({ score, gloss }) => ({ twice: score * 2 + gloss.length }) });
expectTypeOf(row(withScore(asked))).toEqualTypeOf<{ lemma: string; gloss: string; instruction: string; score: number; twice: number }>();
expectTypeOf(asked).toExtend<Node<{ lemma: string }>>();
expectTypeOf(words).not.toExtend<Node<{ lemma: string; more: string }>>();

// Params, secrets, resources, the rows of leaves.

const described = pipeline(
  'p',
  { params: z.object({ limit: z.int().optional(), name: z.string().default('x'), key: secret() }) },
  ({ params, source: from }) => {
    expectTypeOf(params).toEqualTypeOf<{ limit?: number | undefined; name: string; key: string }>();
    const all = from('all', { output: text, rows: [{ text: params.name }] });
    return { all, long: all.filter('long', { keep: ({ text: it }) => it.length > 9 }) };
  },
);
expectTypeOf<RowsOf<typeof described>>().toEqualTypeOf<{ readonly all: { text: string }; readonly long: { text: string } }>();
expectTypeOf(described).toExtend<Pipeline>();
const silent = pipeline('p', ({ source: from }) => {
  from('all', { output: text, rows: [] });
});
expectTypeOf(silent.define).returns.toBeVoid();
expectTypeOf(silent).toExtend<Pipeline>();
// @ts-expect-error no such param
pipeline('p', { params: z.object({ limit: z.int() }) }, ({ params }) => void params.limt);
// @ts-expect-error there are no params
pipeline('p', ({ params }) => void params.limit);

const database = resource(
  'database',
  async () => ({ find: (word: string) => word.length }),
  (it) => void it.find(''),
);
words.map('w', { output: z.object({ n: z.int() }), run: async ({ lemma }, { use }) => ({ n: (await use(database)).find(lemma) }) });
// @ts-expect-error the opened value has no such method
words.map('w', { output: z.object({ n: z.int() }), run: async ({ lemma }, { use }) => ({ n: (await use(database)).found(lemma) }) });
declare function closeDate(date: Date): void;
// @ts-expect-error `close` gets the opened value
resource('r', () => 1, closeDate);

// Forty steps in a row type-check: the depth of types grows with the columns, not faster.

const longest = words
  .map('m0', { output: z.object({ c0: z.int() }), run: ({ lemma }) => ({ c0: lemma.length }) })
  .map('m1', { output: z.object({ c1: z.int() }), run: ({ c0 }) => ({ c1: c0 + 1 }) })
  .map('m2', { output: z.object({ c2: z.int() }), run: ({ c1 }) => ({ c2: c1 + 1 }) })
  .map('m3', { output: z.object({ c3: z.int() }), run: ({ c2 }) => ({ c3: c2 + 1 }) })
  .map('m4', { output: z.object({ c4: z.int() }), run: ({ c3 }) => ({ c4: c3 + 1 }) })
  .map('m5', { output: z.object({ c5: z.int() }), run: ({ c4 }) => ({ c5: c4 + 1 }) })
  .map('m6', { output: z.object({ c6: z.int() }), run: ({ c5 }) => ({ c6: c5 + 1 }) })
  .map('m7', { output: z.object({ c7: z.int() }), run: ({ c6 }) => ({ c7: c6 + 1 }) })
  .map('m8', { output: z.object({ c8: z.int() }), run: ({ c7 }) => ({ c8: c7 + 1 }) })
  .map('m9', { output: z.object({ c9: z.int() }), run: ({ c8 }) => ({ c9: c8 + 1 }) })
  .map('m10', { output: z.object({ c10: z.int() }), run: ({ c9 }) => ({ c10: c9 + 1 }) })
  .map('m11', { output: z.object({ c11: z.int() }), run: ({ c10 }) => ({ c11: c10 + 1 }) })
  .map('m12', { output: z.object({ c12: z.int() }), run: ({ c11 }) => ({ c12: c11 + 1 }) })
  .map('m13', { output: z.object({ c13: z.int() }), run: ({ c12 }) => ({ c13: c12 + 1 }) })
  .map('m14', { output: z.object({ c14: z.int() }), run: ({ c13 }) => ({ c14: c13 + 1 }) })
  .map('m15', { output: z.object({ c15: z.int() }), run: ({ c14 }) => ({ c15: c14 + 1 }) })
  .map('m16', { output: z.object({ c16: z.int() }), run: ({ c15 }) => ({ c16: c15 + 1 }) })
  .map('m17', { output: z.object({ c17: z.int() }), run: ({ c16 }) => ({ c17: c16 + 1 }) })
  .map('m18', { output: z.object({ c18: z.int() }), run: ({ c17 }) => ({ c18: c17 + 1 }) })
  .map('m19', { output: z.object({ c19: z.int() }), run: ({ c18 }) => ({ c19: c18 + 1 }) })
  .map('m20', { output: z.object({ c20: z.int() }), run: ({ c19 }) => ({ c20: c19 + 1 }) })
  .map('m21', { output: z.object({ c21: z.int() }), run: ({ c20 }) => ({ c21: c20 + 1 }) })
  .map('m22', { output: z.object({ c22: z.int() }), run: ({ c21 }) => ({ c22: c21 + 1 }) })
  .map('m23', { output: z.object({ c23: z.int() }), run: ({ c22 }) => ({ c23: c22 + 1 }) })
  .map('m24', { output: z.object({ c24: z.int() }), run: ({ c23 }) => ({ c24: c23 + 1 }) })
  .map('m25', { output: z.object({ c25: z.int() }), run: ({ c24 }) => ({ c25: c24 + 1 }) })
  .map('m26', { output: z.object({ c26: z.int() }), run: ({ c25 }) => ({ c26: c25 + 1 }) })
  .map('m27', { output: z.object({ c27: z.int() }), run: ({ c26 }) => ({ c27: c26 + 1 }) })
  .map('m28', { output: z.object({ c28: z.int() }), run: ({ c27 }) => ({ c28: c27 + 1 }) })
  .map('m29', { output: z.object({ c29: z.int() }), run: ({ c28 }) => ({ c29: c28 + 1 }) })
  .map('m30', { output: z.object({ c30: z.int() }), run: ({ c29 }) => ({ c30: c29 + 1 }) })
  .map('m31', { output: z.object({ c31: z.int() }), run: ({ c30 }) => ({ c31: c30 + 1 }) })
  .map('m32', { output: z.object({ c32: z.int() }), run: ({ c31 }) => ({ c32: c31 + 1 }) })
  .map('m33', { output: z.object({ c33: z.int() }), run: ({ c32 }) => ({ c33: c32 + 1 }) })
  .map('m34', { output: z.object({ c34: z.int() }), run: ({ c33 }) => ({ c34: c33 + 1 }) })
  .map('m35', { output: z.object({ c35: z.int() }), run: ({ c34 }) => ({ c35: c34 + 1 }) })
  .map('m36', { output: z.object({ c36: z.int() }), run: ({ c35 }) => ({ c36: c35 + 1 }) })
  .map('m37', { output: z.object({ c37: z.int() }), run: ({ c36 }) => ({ c37: c36 + 1 }) })
  .map('m38', { output: z.object({ c38: z.int() }), run: ({ c37 }) => ({ c38: c37 + 1 }) })
  .map('m39', { output: z.object({ c39: z.int() }), run: ({ c38 }) => ({ c39: c38 + 1 }) });
expectTypeOf(row(longest).c0).toEqualTypeOf<number>();
expectTypeOf(row(longest).c39).toEqualTypeOf<number>();
// @ts-expect-error after forty steps a column is still known by name
longest.filter('f', { keep: ({ c40 }) => c40 > 0 });
// @ts-expect-error after forty steps the first column still exists
longest.map('m', { output: z.object({ c0: z.int() }), run: () => ({ c0: 1 }) });
