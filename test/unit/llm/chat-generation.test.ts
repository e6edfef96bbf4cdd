import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chatGeneration } from '../../../src/llm/index.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from '../engine/engine.ts';
import { provider, rejections, rowsIn } from './providers.ts';

const message = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });
type Messages = z.output<typeof message>[];
const conversations = (...rows: readonly Messages[]) => ({
  output: z.object({ messages: z.array(message) }),
  rows: rows.map((messages) => ({ messages })),
});

describe('chatGeneration', () => {
  it('continues a conversation', async () => {
    const { server, model } = await provider({ answer: () => 'Three.' });
    const messages: Messages = [
      { role: 'system', content: 'Count.' },
      { role: 'user', content: 'One?' },
      { role: 'assistant', content: 'Two.' },
      { role: 'user', content: 'And?' },
    ];
    const run = await ran(
      pipeline('chat', ({ source }) => void source('rows', conversations(messages)).map('chat', chatGeneration({ model }))),
    );
    expect(await rowsIn(run)).toEqual([{ messages, generation: 'Three.', modelName: 'tiny' }]);
    expect(server.requests[0]?.messages).toEqual(messages);
  });

  it('returns several answers', async () => {
    const { model } = await provider();
    const run = await ran(
      pipeline('several', ({ source }) => {
        source('rows', conversations([{ role: 'user', content: 'a' }])).map('chat', chatGeneration({ model, numGenerations: 2 }));
      }),
    );
    expect((await rowsIn(run))[0]?.['generations']).toHaveLength(2);
  });

  it('rejects a conversation that does not end with a message of the user, without calling the model', async () => {
    const { server, model } = await provider();
    const run = await ran(
      pipeline('over', ({ source }) => {
        source('rows', conversations([{ role: 'assistant', content: 'a' }], [])).map('chat', chatGeneration({ model }));
      }),
    );
    expect(rejections(await eventsOf(run.store, run.runId))).toMatchObject([
      { code: 'invalid-input', message: expect.stringMatching(/must end with a message of the user/) as string },
      { code: 'invalid-input' },
    ]);
    expect(server.requests).toHaveLength(0);
  });
});
