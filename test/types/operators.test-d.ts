// The row types of each operator, and uses that must not compile. Checked by `tsc`; nothing here runs.
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { renamed, step, type Builder, type Node } from '../../src/pipeline/index.ts';

declare const { source, join, union }: Builder<{}>;
/** The row type of a node, written out. */
declare function row<R>(node: Node<R>): { [K in keyof R]: R[K] };

const words = source('words', { output: z.object({ lemma: z.string(), gloss: z.string() }), rows: [] });
const n = z.object({ n: z.int() });
const text = z.object({ text: z.string() });
const asked = words.map('asked', { output: z.object({ instruction: z.string() }), run: ({ lemma }) => ({ instruction: lemma }) });

// Columns are added to rows, or rows are new.
expectTypeOf(row(words.flatMap('w', { output: n, run: ({ gloss }) => [{ n: gloss.length }] }))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  n: number;
}>();
words.flatMap('w', {
  output: n,
  run: async function* ({ gloss }) {
    yield { n: gloss.length };
  },
});
expectTypeOf(row(words.mapBatch('w', { output: n, run: async (rows) => rows.map(({ gloss }) => ({ n: gloss.length })) }))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  n: number;
}>();
words.mapBatch('w', {
  output: z.object({ label: z.enum(['a', 'b']) }),
  run: (rows) => rows.map(({ gloss }) => (gloss ? { label: 'a' } : new Error('empty'))),
});
expectTypeOf(row(words.batch('w', { output: n, run: (rows) => [{ n: rows.length }] }))).toEqualTypeOf<{ n: number }>();
const global = words.global('w', {
  output: n,
  run: async function* (rows) {
    for await (const { gloss } of rows) yield { n: gloss.length };
  },
});
expectTypeOf(row(global)).toEqualTypeOf<{ n: number }>();

// Columns are changed, dropped and renamed.
expectTypeOf(
  row(words.replace('w', { output: z.object({ gloss: z.int() }), run: ({ gloss }) => ({ gloss: gloss.length }) })),
).toEqualTypeOf<{
  lemma: string;
  gloss: number;
}>();
expectTypeOf(row(words.drop('w', ['gloss']))).toEqualTypeOf<{ lemma: string }>();
expectTypeOf(row(words.rename('w', { gloss: 'meaning' }))).toEqualTypeOf<{ lemma: string; meaning: string }>();
const maybe = words.map('m', { output: z.object({ n: z.int().nullable() }), run: () => ({ n: null }) });
expectTypeOf(row(maybe.nonNull('w', ['n']))).toEqualTypeOf<{ lemma: string; gloss: string; n: number }>();

// Branches.
const { easy, hard } = asked.route('r', { branches: ['easy', 'hard'], to: ({ gloss }) => (gloss ? 'easy' : 'hard') });
expectTypeOf(row(easy)).toEqualTypeOf<{ lemma: string; gloss: string; instruction: string }>();
const scored = asked.map('s', { output: z.object({ score: z.int() }), run: () => ({ score: 1 }) });
const a = asked.map('a', { output: text, run: () => ({ text: '' }) });
const b = asked.map('b', { output: text, run: () => ({ text: '' }) });
expectTypeOf(row(join('j', [a, scored]))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  instruction: string;
  text: string;
  score: number;
}>();
expectTypeOf(row(join('j', [a, b], { lists: { text: 'texts' } }))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  instruction: string;
  texts: string[];
}>();
expectTypeOf(row(union('u', [easy, scored, hard]))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  instruction: string;
  score: number | null;
}>();

// Steps for many pipelines, under other names.
const countOf = step.flatMap({
  id: 'count',
  version: 1,
  input: z.object({ gloss: z.string() }),
  output: n,
  run: ({ gloss }) => [{ n: gloss.length }],
});
expectTypeOf(row(words.flatMap('w', renamed(countOf, { gloss: 'lemma', n: 'length' })))).toEqualTypeOf<{
  lemma: string;
  gloss: string;
  length: number;
}>();
const together = step.mapBatch({ id: 'x', version: 1, input: text, output: n, run: (rows) => rows.map(() => ({ n: 1 })) });
expectTypeOf(row(words.mapBatch('w', renamed(together, { text: 'gloss' })))).toEqualTypeOf<{ lemma: string; gloss: string; n: number }>();

// Uses that must not compile.

// @ts-expect-error the column exists
words.flatMap('w', { output: z.object({ gloss: z.string() }), run: () => [{ gloss: '' }] });
// @ts-expect-error the column exists
words.mapBatch('w', { output: z.object({ gloss: z.string() }), run: (rows) => rows.map(() => ({ gloss: '' })) });
// @ts-expect-error there is no such column to replace
words.replace('w', { output: n, run: () => ({ n: 1 }) });
// @ts-expect-error there is no such column
words.drop('w', ['glos']);
// @ts-expect-error there is no such column
words.rename('w', { glos: 'x' });
// @ts-expect-error there is no such column
words.nonNull('w', ['glos']);
// @ts-expect-error rows are not numbers
words.batch('w', { output: n, run: (rows) => [rows.length] });
// @ts-expect-error the rows of a global step come one by one
words.global('w', { output: n, run: (rows) => [{ n: rows.length }] });
// @ts-expect-error no such branch
words.route('r', { branches: ['a', 'b'], to: () => 'c' });
// @ts-expect-error a branch that is not there
words.route('r', { branches: ['a'], to: () => 'a' }).b.drop('d', ['gloss']);
// @ts-expect-error one branch
join('j', [a]);
// @ts-expect-error no such column to gather
join('j', [a, b], { lists: { txt: 'texts' } });
const other = asked.map('o', { output: z.object({ score: z.string() }), run: () => ({ score: '' }) });
// @ts-expect-error `score` is a number in one branch and a string in the other
join('j', [scored, other]).map('x', { output: text, run: ({ score }) => ({ text: score.toFixed() }) });
// @ts-expect-error a flatMap step where a map step is wanted
words.map('w', countOf);
// @ts-expect-error the step has no such column
renamed(countOf, { glos: 'lemma' });
