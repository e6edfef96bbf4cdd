// Instruction data: topics → questions → two answers each → a judge → the better answer, sorted into good and poor.
import { z } from 'zod';
import { pipeline } from 'distilog';
import { judge, languageModel, structuredGeneration, textGeneration } from 'distilog/llm';

const params = z.object({
  writer: z.string().default('gpt-4o-mini'),
  referee: z.string().default('gpt-4o'),
  baseURL: z.url().optional(), // an OpenAI-compatible server; default: OPENAI_BASE_URL of the environment, or OpenAI
  limit: z.int().min(1).default(6),
});

const subjects = ['tides', 'yeast', 'glaciers', 'rhyme', 'tin', 'the doorbell'];

export default pipeline('instruct', { params }, ({ source, params }) => {
  const writer = languageModel(params.writer, { baseURL: params.baseURL, temperature: 1, requestsPerMinute: 500 });
  const referee = languageModel(params.referee, { baseURL: params.baseURL, temperature: 0, requestsPerMinute: 500 });

  const topics = source('topics', {
    output: z.object({ topic: z.string() }),
    rows: subjects.slice(0, params.limit).map((topic) => ({ topic })),
  });

  const questions = topics
    .map(
      'ideas',
      structuredGeneration({
        model: writer,
        prompt: 'Write three questions about {{ topic }} that a curious beginner would ask.',
        schema: z.object({ ideas: z.array(z.string()).length(3) }),
      }),
    )
    .flatMap('questions', {
      output: z.object({ instruction: z.string() }),
      run: ({ ideas }) => ideas.map((instruction) => ({ instruction })),
    });

  const judged = questions
    .map('answers', textGeneration({ model: writer, systemPrompt: 'Answer in at most three sentences.', numGenerations: 2 }), {
      concurrency: 20,
    })
    .map('verdicts', judge({ model: referee, aspect: 'helpfulness' }), { concurrency: 20 });

  const best = judged
    .map('best', {
      output: z.object({ generation: z.string(), rating: z.int() }),
      run: ({ generations, ratings }) => {
        const scores = ratings.map((score) => score ?? 0);
        const rating = Math.max(...scores);
        return { rating, generation: generations[scores.indexOf(rating)] ?? '' };
      },
    })
    .select('pairs', ['topic', 'instruction', 'generation', 'rating', 'modelName']);

  const { good, poor } = best.route('quality', { branches: ['good', 'poor'], to: ({ rating }) => (rating >= 4 ? 'good' : 'poor') });
  return { good, poor };
});
