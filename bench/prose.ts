import { z } from 'zod';
import { pipeline, type Pipeline } from '../src/pipeline/index.ts';
import type { Entry } from '../examples/wordnet.ts';

/** Number of glosses in an answer. `long` is about as long as a model's answer of a few paragraphs. */
export const answers = { short: 1, long: 12 } as const;

export interface ProseOptions {
  readonly glosses: number;
  readonly batchSize: number;
}

/** Returns the question of an entry. */
const questionOf = ({ lemma }: Pick<Entry, 'lemma'>): string => `What does “${lemma}” mean?`;

const answerOf = (entries: readonly Entry[], n: number, glosses: number): string =>
  Array.from({ length: glosses }, (_, k) => entries[(n * 7 + k * 31) % entries.length]?.gloss).join(' ');

const scoreOf = ({ gloss }: Pick<Entry, 'gloss'>): number => (gloss.length % 50) / 10;

/**
 * Returns a pipeline of four steps over English text. Each adds a column, like a pipeline of prompts and judgements. Answers are made of dictionary entries, so
 * they compress like prose, and no two rows are equal.
 */
export const prose = (entries: readonly Entry[], { glosses, batchSize }: ProseOptions): Pipeline =>
  pipeline('prose', ({ source }) => {
    source('entries', {
      output: z.object({ n: z.int(), lemma: z.string(), gloss: z.string() }),
      batchSize,
      rows: entries.map(({ lemma, gloss }, n) => ({ n, lemma, gloss })),
    })
      .map('question', { output: z.object({ question: z.string() }), run: (row) => ({ question: questionOf(row) }) })
      .map('answer', { output: z.object({ answer: z.string() }), run: ({ n }) => ({ answer: answerOf(entries, n, glosses) }) })
      .map('score', { output: z.object({ score: z.number() }), run: (row) => ({ score: scoreOf(row) }) });
  });

/** Yields the output rows of the pipeline. */
export function* proseRows(entries: readonly Entry[], glosses: number): Generator<object> {
  for (const [n, entry] of entries.entries()) {
    const { lemma, gloss } = entry;
    yield { n, lemma, gloss, question: questionOf(entry), answer: answerOf(entries, n, glosses), score: scoreOf(entry) };
  }
}
