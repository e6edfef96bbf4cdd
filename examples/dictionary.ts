// Questions and answers from a dictionary: entries → question → answer → short / long.
import { z } from 'zod';
import { pipeline } from 'distilog';
import { askLocalModel } from './local-model.ts';
import { wordnet } from './wordnet.ts';

export default pipeline('dictionary', { params: z.object({ limit: z.int().default(3000) }) }, ({ source, params }) => {
  const entries = source('entries', {
    output: z.object({ lemma: z.string(), partOfSpeech: z.string(), gloss: z.string() }),
    batchSize: 100,
    count: params.limit,
    captures: { limit: params.limit },
    read: ({ offset }) => wordnet({ offset, limit: params.limit }),
  });

  const asked = entries.map('question', {
    output: z.object({ instruction: z.string() }),
    run: ({ lemma, partOfSpeech }) => ({ instruction: `Define the ${partOfSpeech} "${lemma}".` }),
  });

  const answered = asked.map('answer', {
    output: z.object({ generation: z.string() }),
    concurrency: 4,
    retry: { attempts: 3, backoffMs: 200 },
    run: async ({ instruction, gloss }, context) => ({ generation: await askLocalModel(instruction, gloss, context) }),
  });

  const short = answered.filter('short', { keep: ({ generation }) => generation.length <= 80 });
  const long = answered.filter('long', { keep: ({ generation }) => generation.length > 80 });
  return { short, long };
});
