// The pipelines whose logs version 0.2.0 left. They stay as they are: later versions resume their runs.
import { MockLanguageModelV4 } from 'ai/test';
import { z } from 'zod';
import { hasPreference, judge, structuredGeneration, textGeneration, toDpo, type AnyModel } from '../../../src/llm/index.ts';
import { pipeline, type Pipeline } from '../../../src/pipeline/index.ts';

export { everyOperator, failing, type Outside } from '../0.1.0/pipelines.ts';

/** Returns a model that answers from the text that it is asked with, and counts a token a word. */
function model(modelId: string, answer: (prompt: string) => string): AnyModel {
  return new MockLanguageModelV4({
    modelId,
    provider: 'golden',
    doGenerate: async ({ prompt }) => {
      const asked = JSON.stringify(prompt);
      const text = answer(asked);
      const tokens = (of: string) => of.split(/\s+/).length;
      return {
        content: [{ type: 'text', text }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: {
          inputTokens: { total: tokens(asked), noCache: tokens(asked), cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: tokens(text), text: tokens(text), reasoning: 0 },
        },
        warnings: [],
      };
    },
  });
}

const subjects = ['tides', 'yeast', 'rust', 'maps', 'glass', 'moss', 'tin', 'rhyme'];
const subjectIn = (prompt: string): string => subjects.find((subject) => prompt.includes(subject)) ?? 'nothing';

/** Two answers to each question, judged, and facts about it as an object: every kind of step that asks a model. */
export const asking = (): Pipeline =>
  pipeline('asking', ({ source, join }) => {
    const questions = source('questions', {
      output: z.object({ instruction: z.string() }),
      rows: subjects.map((subject) => ({ instruction: `Explain ${subject} in one sentence.` })),
      batchSize: 3,
    });
    const short = model('short', (prompt) => `It is about ${subjectIn(prompt)}.`);
    const long = model('long', (prompt) => `To explain ${subjectIn(prompt)}, a longer sentence is needed than one would think.`);
    const referee = model('referee', (prompt) => {
      const isLongBetter = subjectIn(prompt).length % 2 === 0;
      const [ofShort, ofLong] = isLongBetter ? [2, 4] : [5, 3];
      return JSON.stringify({
        verdicts: [
          { rationale: 'It is short.', rating: ofShort },
          { rationale: 'It is long.', rating: ofLong },
        ],
      });
    });
    // Of one question the model gives no object, twice: its row is rejected.
    const facts = model('facts', (prompt) => {
      const subject = subjectIn(prompt);
      return subject === 'tin' ? 'I would rather not.' : JSON.stringify({ letters: subject.length, isShort: subject.length < 5 });
    });

    const both = join(
      'both',
      [questions.map('first', textGeneration({ model: short })), questions.map('second', textGeneration({ model: long }))],
      {
        lists: { generation: 'generations', modelName: 'generationModels' },
      },
    );
    both
      .map('judged', judge({ model: referee, aspect: 'helpfulness' }))
      .filter('preferred', hasPreference())
      .map('dpo', toDpo());
    questions.map(
      'facts',
      structuredGeneration({
        model: facts,
        schema: z.object({ letters: z.int(), isShort: z.boolean() }),
        prompt: '{{ instruction }} Count its letters.',
      }),
    );
  });
