import { expect, it } from 'vitest';
import { KeptAnswers } from '../../../src/llm/kept-answers.ts';

it('what is kept of a row is given back once', () => {
  const kept = new KeptAnswers();
  kept.keep('row', ['a', null]);
  expect(kept.take('row')).toEqual(['a', null]);
  expect(kept.take('row')).toEqual([]);
});

it('the oldest rows are forgotten when answers grow too large in all', () => {
  const kept = new KeptAnswers();
  const large = 'x'.repeat(6 * 1024 * 1024);
  for (const row of ['one', 'two', 'three']) kept.keep(row, [large, null]);
  expect([kept.take('one').length, kept.take('two').length, kept.take('three').length]).toEqual([0, 2, 2]);
  kept.keep('one', [large, large]);
  expect(kept.take('one')).toHaveLength(2);
  kept.keep('one', [large, large, large]);
  expect(kept.take('one')).toEqual([]);
});
