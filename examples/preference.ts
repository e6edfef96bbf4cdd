// Preference pairs: questions → an answer by each of two models → a judge → chosen and rejected.
import { z } from 'zod';
import { pipeline } from 'distilog';
import { hasPreference, judge, languageModel, textGeneration, toDpo } from 'distilog/llm';

const params = z.object({
  first: z.string().default('gpt-4o-mini'),
  second: z.string().default('gpt-4.1-nano'),
  referee: z.string().default('gpt-4o'),
  baseURL: z.url().optional(), // an OpenAI-compatible server; default: OPENAI_BASE_URL of the environment, or OpenAI
  questions: z.int().min(1).max(120).default(6),
  patience: z.number().positive().default(120), // seconds until a call times out
});

const topics = ['tides', 'yeast', 'the doorbell', 'glaciers', 'rhyme', 'tin', 'echoes', 'rust', 'maps', 'leap years', 'glass', 'moss'];
const listeners = ['a child of eight', 'a judge', 'a sailor', 'a beekeeper', 'a person who cannot sleep'];
const lengths = ['three sentences', 'one sentence'];

export default pipeline('preference', { params }, ({ source, join, params }) => {
  const { baseURL } = params;
  const options = { timeoutMs: params.patience * 1_000 };
  const tasks = lengths.flatMap((length) => listeners.flatMap((listener) => topics.map((topic) => ({ topic, listener, length }))));
  const questions = source('questions', {
    output: z.object({ instruction: z.string() }),
    rows: tasks
      .slice(0, params.questions)
      .map((task) => ({ instruction: `Explain ${task.topic} to ${task.listener}, in ${task.length}.` })),
  });

  const first = questions.map('first', textGeneration({ model: languageModel(params.first, { baseURL, temperature: 1 }) }), options);
  const second = questions.map('second', textGeneration({ model: languageModel(params.second, { baseURL, temperature: 1 }) }), options);

  // A question that one of the models could not answer is not in the join, so the lists stay aligned.
  const both = join('both', [first, second], { lists: { generation: 'generations', modelName: 'generationModels' } });

  const pairs = both
    .map('judged', judge({ model: languageModel(params.referee, { baseURL, temperature: 0 }), aspect: 'helpfulness' }), options)
    .filter('preferred', hasPreference())
    .map('dpo', toDpo())
    .drop('pairs', ['instruction', 'generations', 'generationModels', 'ratings', 'rationales']);
  return { pairs };
});
