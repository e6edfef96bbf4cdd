// Your own rows: a CSV file → a model that reads each row → typed columns. The columns of the file are kept.
import { z } from 'zod';
import { csv, pipeline } from 'distilog';
import { languageModel, structuredGeneration } from 'distilog/llm';

const params = z.object({
  model: z.string().default('gpt-4o-mini'),
  baseURL: z.url().optional(), // an OpenAI-compatible server; default: OPENAI_BASE_URL of the environment, or OpenAI
});

export default pipeline('own-file', { params }, ({ source, params }) => {
  const reviews = source(
    'reviews',
    csv(new URL('./own-file.csv', import.meta.url), {
      output: z.object({ id: z.int(), product: z.string(), review: z.string().nullable(), stars: z.int().nullable() }),
    }),
  );

  const labelled = reviews.nonNull('written', ['review']).map(
    'label',
    structuredGeneration({
      model: languageModel(params.model, { baseURL: params.baseURL, temperature: 0 }),
      prompt: 'A customer wrote about a {{ product }}:\n\n{{ review }}\n\nWhat does the customer say?',
      schema: z.object({ sentiment: z.enum(['positive', 'mixed', 'negative']), wouldBuyAgain: z.boolean(), summary: z.string() }),
    }),
    { concurrency: 20 },
  );
  return { labelled };
});
