import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hasPreference, toDpo, toSft } from '../../../src/llm/index.ts';
import { sha256 } from '../../../src/kit/sha256.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from '../engine/engine.ts';
import { rejections, rowsIn } from './providers.ts';

describe('toSft', () => {
  it('makes a conversation of system prompt, instruction and generation', async () => {
    const run = await ran(
      pipeline('sft', ({ source }) => {
        const rows = [
          { instruction: 'Hi', generation: 'Hello', systemPrompt: null },
          { instruction: 'Hi', generation: 'Good day', systemPrompt: 'Be formal.' },
        ];
        source('rows', {
          output: z.object({ instruction: z.string(), generation: z.string(), systemPrompt: z.string().nullable() }),
          rows,
        }).map('sft', toSft());
      }),
    );
    const talk = (answer: string) => [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: answer },
    ];
    expect(await rowsIn(run)).toMatchObject([
      { prompt: 'Hi', prompt_id: sha256('Hi'), messages: talk('Hello') },
      { prompt: 'Hi', prompt_id: sha256('Hi'), messages: [{ role: 'system', content: 'Be formal.' }, ...talk('Good day')] },
    ]);
  });
});

describe('toDpo', () => {
  const rated = z.object({
    instruction: z.string(),
    generations: z.array(z.string()),
    ratings: z.array(z.number().nullable()),
    modelName: z.string(),
  });
  const row = (...ratings: (number | null)[]) => ({
    instruction: 'Hi',
    generations: ratings.map((_, index) => `answer ${index}`),
    ratings,
    modelName: 'tiny',
  });

  it('prefers the highest rating to the lowest, takes the first of equals, and ignores unrated answers', async () => {
    const run = await ran(
      pipeline('dpo', ({ source }) => void source('rows', { output: rated, rows: [row(3, null, 5, 1, 5, 1)] }).map('dpo', toDpo())),
    );
    const talk = (answer: string) => [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: answer },
    ];
    expect(await rowsIn(run)).toMatchObject([
      {
        prompt: 'Hi',
        prompt_id: sha256('Hi'),
        chosen: talk('answer 2'),
        chosen_model: 'tiny',
        chosen_rating: 5,
        rejected: talk('answer 3'),
        rejected_model: 'tiny',
        rejected_rating: 1,
      },
    ]);
  });

  it('names the model of each answer if the row has it', async () => {
    const output = rated.extend({ generationModels: z.array(z.string()) }).omit({ modelName: true });
    const rows = [{ instruction: 'Hi', generations: ['a', 'b'], ratings: [1, 2], generationModels: ['small', 'large'] }];
    const run = await ran(pipeline('models', ({ source }) => void source('rows', { output, rows }).map('dpo', toDpo())));
    expect(await rowsIn(run)).toMatchObject([{ chosen_model: 'large', rejected_model: 'small' }]);
  });

  it('rejects a row without preference, which hasPreference filters out', async () => {
    const rows = [row(4, 4), row(null, 3), row(), row(1, 2)];
    const bare = await ran(pipeline('ties', ({ source }) => void source('rows', { output: rated, rows }).map('dpo', toDpo())));
    expect(rejections(await eventsOf(bare.store, bare.runId)).map(({ code }) => code)).toEqual([
      'no-preference',
      'no-preference',
      'no-preference',
    ]);
    const kept = await ran(
      pipeline(
        'kept',
        ({ source }) => void source('rows', { output: rated, rows }).filter('preferred', hasPreference()).map('dpo', toDpo()),
      ),
    );
    expect(kept.rest).toBe('succeeded');
    expect(await rowsIn(kept)).toHaveLength(1);
  });
});
