// Preference pairs from a language model: questions → four answers each → a judge → chosen and rejected. Needs OPENAI_API_KEY, or OPENAI_BASE_URL of a
// server of your own.
import { z } from 'zod';
import { pipeline } from 'distilog';
import { hasPreference, judge, languageModel, textGeneration, toDpo } from 'distilog/llm';

const params = z.object({ writer: z.string().default('gpt-4o-mini'), judge: z.string().default('gpt-4o') });

const topics = ['tides', 'yeast', 'the doorbell', 'glaciers', 'rhyme', 'tin'];

export default pipeline('preferences', { params }, ({ source, params }) => {
  const writer = languageModel(params.writer, { temperature: 1, requestsPerMinute: 500 });
  const referee = languageModel(params.judge, { temperature: 0 });

  const asked = source('questions', {
    output: z.object({ instruction: z.string() }),
    rows: topics.map((topic) => ({ instruction: `Explain ${topic} to a child of eight, in three sentences.` })),
  });
  const answered = asked.map('answers', textGeneration({ model: writer, numGenerations: 4 }), { concurrency: 20 });
  const judged = answered.map('judged', judge({ model: referee, aspect: 'helpfulness' }), { concurrency: 20 });
  const pairs = judged.filter('preferred', hasPreference()).map('pairs', toDpo());
  return { pairs };
});
