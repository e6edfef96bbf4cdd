import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { structuredGeneration } from '../../../src/llm/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from '../engine/engine.ts';
import { billed, callsIn, consumed, instructions, provider, quick, rejections, rowsIn } from './providers.ts';

const schema = z.object({ title: z.string(), stars: z.int().min(1).max(5), tags: z.array(z.enum(['new', 'old'])) });

describe('structuredGeneration', () => {
  it('adds each member of the schema as a column, and asks the provider to enforce the schema', async () => {
    const { server, model } = await provider();
    const run = await ran(
      pipeline('members', ({ source }) => void source('rows', instructions('a', 'b')).map('data', structuredGeneration({ model, schema }))),
    );
    expect(run.rest).toBe('succeeded');
    const rows = await rowsIn(run);
    expect(rows).toHaveLength(2);
    for (const { instruction: _asked, ...columns } of rows) expect(schema.parse(columns)).toEqual(columns);
    expect(server.requests[0]?.response_format).toMatchObject({
      type: 'json_schema',
      json_schema: { schema: { type: 'object', required: ['title', 'stars', 'tags'], additionalProperties: false } },
    });
  });

  it('puts the whole answer into one column if one is named', async () => {
    const { model } = await provider();
    const run = await ran(
      pipeline('column', ({ source }) => {
        source('rows', instructions('a')).map('data', structuredGeneration({ model, schema, column: 'review' }));
      }),
    );
    const [row] = await rowsIn(run);
    expect(Object.keys(row ?? {})).toEqual(['instruction', 'review']);
    expect(schema.safeParse(row?.['review']).success).toBe(true);
  });

  it('writes the schema into the prompt for a server that supports only JSON', async () => {
    const { server, model } = await provider({}, { structuredOutput: 'json' });
    const run = await ran(
      pipeline('json', ({ source }) => {
        source('rows', instructions('a')).map('data', structuredGeneration({ model, schema, systemPrompt: 'Be brief.' }));
      }),
    );
    expect(run.rest).toBe('succeeded');
    expect(server.requests[0]?.response_format).toEqual({ type: 'json_object' });
    expect(server.requests[0]?.messages[0]).toEqual({
      role: 'system',
      content: expect.stringMatching(/^Be brief\.\n\nAnswer with one JSON object.*"stars"/s) as string,
    });
  });

  it('applies the transforms of the schema once', async () => {
    const { model } = await provider({ answer: () => '{"word":"tea"}' });
    const shouted = z.object({
      word: z
        .string()
        .transform((word) => `${word}!`)
        .pipe(z.string()),
    });
    const run = await ran(
      pipeline(
        'once',
        ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema: shouted })),
      ),
    );
    expect(await rowsIn(run)).toEqual([{ instruction: 'a', word: 'tea!' }]);
  });

  it('reads an answer in a code fence after the reasoning of the model', async () => {
    const { model } = await provider({ answer: () => '<think>{Tea?}</think>\n```json\n{"title":"Tea","stars":3,"tags":[]}\n```' });
    const run = await ran(
      pipeline('fence', ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema }))),
    );
    expect(await rowsIn(run)).toEqual([{ instruction: 'a', title: 'Tea', stars: 3, tags: [] }]);
  });

  it('reads the only object of an answer with one call, and asks again if there are two different ones', async () => {
    const tea = '{"title":"Tea","stars":3,"tags":[]}';
    const { server, model } = await provider({
      answer: ({ request, number }) =>
        request.messages[0]?.content === 'one' ? `Maybe {"title":?</think>Here: ${tea}` : number === 3 ? tea : `${tea} or {"title":"Milk"}`,
    });
    const of = (instruction: string) =>
      ran(
        pipeline(
          'prose',
          ({ source }) => void source('rows', instructions(instruction)).map('data', structuredGeneration({ model, schema })),
        ),
      );
    const row = { title: 'Tea', stars: 3, tags: [] };
    expect(await rowsIn(await of('one'))).toEqual([{ instruction: 'one', ...row }]);
    expect(server.requests).toHaveLength(1);
    expect(await rowsIn(await of('two'))).toEqual([{ instruction: 'two', ...row }]);
    expect(server.requests).toHaveLength(3);
    expect(server.requests[2]?.messages[2]?.content).toMatch(/it contains 2 different JSON objects/);
  });

  it('asks once more with the reason when an answer does not match, and uses the second answer', async () => {
    const { server, model } = await provider({ fault: ({ number }) => (number === 1 ? 'wrong-schema' : undefined) });
    const run = await ran(
      pipeline('told', ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema }))),
    );
    expect(run.rest).toBe('succeeded');
    expect(server.requests[1]?.messages).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: '{"unasked":"for"}' },
      {
        role: 'user',
        content: expect.stringMatching(
          /cannot be used: title: .*stars: .*one JSON object.*This is the JSON Schema:\n\{.*"stars"/s,
        ) as string,
      },
    ]);
    expect((await callsIn(run)).map(({ finishReason }) => finishReason)).toEqual(['invalid-output', 'stop']);
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
  });

  it.each([
    ['wrong-schema', /does not match the schema: title: .*It answered: \{"unasked":"for"\}/],
    ['not-json', /it is not JSON\. It answered: Certainly! Here is what you asked for\./],
  ] as const)(
    'rejects the row after a second mismatch (%s), with the answer in the message, and both calls are billed',
    async (fault, message) => {
      const { server, model } = await provider({ fault: () => fault });
      const run = await ran(
        pipeline(
          'missed',
          ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema }), quick),
        ),
      );
      expect(run.rest).toBe('partial');
      const events = await eventsOf(run.store, run.runId);
      expect(rejections(events)).toMatchObject([
        { code: 'invalid-output', message: expect.stringMatching(message) as string, attempts: 1 },
      ]);
      expect(server.requests).toHaveLength(2);
      expect((await callsIn(run)).map(({ finishReason }) => finishReason)).toEqual(['invalid-output', 'invalid-output']);
      expect(consumed(events)).toEqual(billed(server));
    },
  );

  it('sends back no more of an answer than fits into a request', async () => {
    const { server, model } = await provider({ fault: ({ number }) => (number === 1 ? 'huge' : undefined) });
    const run = await ran(
      pipeline('huge', ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema }))),
    );
    expect(run.rest).toBe('succeeded');
    expect(server.requests[1]?.messages[1]?.content).toHaveLength(20_000);
  });

  it('says when an answer was cut off', async () => {
    const { model } = await provider({ cutOff: true, answer: () => '{"title":"T' });
    const run = await ran(
      pipeline('cut', ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema }))),
    );
    expect(rejections(await eventsOf(run.store, run.runId))[0]?.message).toMatch(/cut off at maxOutputTokens/);
  });

  it('asks no second time after an answer that was cut off, unless such answers are kept', async () => {
    const { server, model } = await provider({ cutOff: true, answer: () => '{"title":"T' });
    const of = (onTruncated?: 'keep') =>
      ran(
        pipeline(
          'cut',
          ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema, onTruncated })),
        ),
      );
    const rejected = await of();
    expect(rejections(await eventsOf(rejected.store, rejected.runId))).toMatchObject([{ code: 'truncated' }]);
    expect(server.requests).toHaveLength(1);
    const kept = await of('keep');
    expect(rejections(await eventsOf(kept.store, kept.runId))).toMatchObject([{ code: 'invalid-output' }]);
    expect(server.requests).toHaveLength(3);
  });

  it('refuses a schema that is not an object, and one that JSON Schema cannot express', () => {
    const model = { specificationVersion: 'v4', modelId: 'tiny', provider: 'none', doGenerate: () => undefined } as never;
    expect(() => structuredGeneration({ model, schema: z.array(z.string()) as never })).toThrow(/must be a z\.object/);
    const odd = z.object({ at: z.date() });
    expect(() => structuredGeneration({ model, schema: odd as never })).toThrow(/cannot be converted to JSON Schema/);
  });

  it('has another signature when its schema changes', async () => {
    const { model } = await provider();
    const of = (stars: z.ZodInt) =>
      plan(
        pipeline(
          'changed',
          ({ source }) => void source('rows', instructions('a')).map('data', structuredGeneration({ model, schema: z.object({ stars }) })),
        ),
      ).manifest.signature;
    expect(of(z.int().max(5))).not.toBe(of(z.int().max(6)));
  });
});
