// Preference pairs: questions → an answer by each of two models → a judge → chosen and rejected.
import { z } from 'zod';
import { pipeline } from 'distilog';
import { hasPreference, judge, languageModel, textGeneration, toDpo } from 'distilog/llm';

const params = z.object({
  first: z.string().default('gpt-4o-mini'),
  second: z.string().default('gpt-4.1-nano'),
  referee: z.string().default('gpt-4o'),
  baseURL: z.url().optional(), // of any OpenAI-compatible server; else OPENAI_BASE_URL of the environment, else OpenAI's
});

const topics = ['tides', 'yeast', 'the doorbell', 'glaciers', 'rhyme', 'tin'];

export default pipeline('preference', { params }, ({ source, join, params }) => {
  const { baseURL } = params;
  const questions = source('questions', {
    output: z.object({ instruction: z.string() }),
    rows: topics.map((topic) => ({ instruction: `Explain ${topic} to a child of eight, in three sentences.` })),
  });

  const first = questions.map('first', textGeneration({ model: languageModel(params.first, { baseURL, temperature: 1 }) }));
  const second = questions.map('second', textGeneration({ model: languageModel(params.second, { baseURL, temperature: 1 }) }));

  // A question that one of the two could not answer is in neither list.
  const both = join('both', [first, second], { lists: { generation: 'generations', modelName: 'generationModels' } });

  const pairs = both
    .map('judged', judge({ model: languageModel(params.referee, { baseURL, temperature: 0 }), aspect: 'helpfulness' }))
    .filter('preferred', hasPreference())
    .map('dpo', toDpo())
    .drop('pairs', ['instruction', 'generations', 'generationModels', 'ratings', 'rationales']);
  return { pairs };
});
