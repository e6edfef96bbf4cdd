import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { textGeneration } from '../../../src/llm/index.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, renamed, type Pipeline } from '../../../src/pipeline/index.ts';
import { eventsOf, ran, type Ran } from '../engine/engine.ts';
import { billed, callsIn, consumed, instructions, provider, rowsIn } from './providers.ts';

const topics = { output: z.object({ topic: z.string(), tone: z.string() }), rows: [{ topic: 'tea', tone: 'dry' }] };

async function otherSeed(pipe: Pipeline): Promise<Ran> {
  const store = memoryStore();
  const run = await startPipeline(store, plan(pipe), { seed: 2 });
  return { store, runId: run.runId, rest: (await run.drive()).rest };
}

describe('textGeneration', () => {
  it('answers each row’s instruction, in order, and names the model', async () => {
    const { server, model } = await provider({ answer: ({ request }) => `On ${request.messages.at(-1)?.content}.` });
    const run = await ran(
      pipeline('text', ({ source }) => void source('rows', instructions('a', 'b', 'c')).map('text', textGeneration({ model }))),
    );
    expect(run.rest).toBe('succeeded');
    expect(await rowsIn(run)).toEqual(
      ['a', 'b', 'c'].map((instruction) => ({ instruction, generation: `On ${instruction}.`, modelName: 'tiny' })),
    );
    expect(server.requests[0]?.messages).toEqual([{ role: 'user', content: 'a' }]);
  });

  it('gives the same rows in every run with one seed, because it sends the row’s seed', async () => {
    const { server, model } = await provider();
    const pipe = pipeline('seeds', ({ source }) => void source('rows', instructions('a', 'b')).map('text', textGeneration({ model })));
    const rows = [await rowsIn(await ran(pipe)), await rowsIn(await ran(pipe)), await rowsIn(await otherSeed(pipe))];
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[2]).not.toEqual(rows[0]);
    for (const { seed = -1 } of server.requests) expect(seed >= 0 && seed < 2 ** 31).toBe(true);
  });

  it('renders a template, and prefers the row’s own system prompt to the step’s', async () => {
    const { server, model } = await provider();
    await ran(
      pipeline('templates', ({ source }) => {
        const rows = [
          { topic: 'tea', systemPrompt: null },
          { topic: 'rain', systemPrompt: 'Be brief.' },
        ];
        source('rows', { output: z.object({ topic: z.string(), systemPrompt: z.string().nullable() }), rows }).map(
          'text',
          textGeneration({
            model,
            prompt: 'Tell about {{ topic | upper }}.',
            systemPrompt: 'You know {{ topic }}.',
            temperature: 0.5,
            maxOutputTokens: 99,
          }),
        );
      }),
    );
    expect(server.requests.map(({ messages }) => messages)).toEqual([
      [
        { role: 'system', content: 'You know tea.' },
        { role: 'user', content: 'Tell about TEA.' },
      ],
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Tell about RAIN.' },
      ],
    ]);
    expect(server.requests[0]).toMatchObject({ temperature: 0.5, max_tokens: 99 });
  });

  it('uses the prompt that a function makes of the row, and records it', async () => {
    const { server, model } = await provider();
    const run = await ran(
      pipeline('functions', ({ source }) => {
        source('rows', topics).map('text', textGeneration({ model, prompt: ({ topic, tone }) => `${topic}, ${tone}` }));
      }),
    );
    expect(server.requests[0]?.messages).toEqual([{ role: 'user', content: 'tea, dry' }]);
    expect(await callsIn(run)).toMatchObject([{ prompt: 'tea, dry', finishReason: 'stop', model: 'tiny', row: 0, attempt: 1 }]);
  });

  it('records no prompt that can be derived from the row and the step', async () => {
    const { model } = await provider();
    const run = await ran(pipeline('plain', ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model }))));
    expect((await callsIn(run)).map(({ prompt }) => prompt)).toEqual([null]);
  });

  it('returns several answers to a row, each with a seed of its own', async () => {
    const { server, model } = await provider();
    const run = await ran(
      pipeline('several', ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model, numGenerations: 3 }))),
    );
    const [row] = await rowsIn(run);
    expect(new Set(row?.['generations'] as string[]).size).toBe(3);
    expect(new Set(server.requests.map(({ seed }) => seed)).size).toBe(3);
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
  });

  it('reads and writes renamed columns', async () => {
    const { model } = await provider({ answer: () => 'yes' });
    const run = await ran(
      pipeline('renamed', ({ source }) => {
        source('rows', { output: z.object({ question: z.string() }), rows: [{ question: 'why?' }] }).map(
          'text',
          renamed(textGeneration({ model }), { instruction: 'question', generation: 'answer' }),
        );
      }),
    );
    expect(await rowsIn(run)).toEqual([{ question: 'why?', answer: 'yes', modelName: 'tiny' }]);
  });

  it('rejects a row whose instruction is not text', async () => {
    const { server, model } = await provider();
    const run = await ran(
      pipeline('numbers', ({ source }) => {
        source('rows', { output: z.object({ instruction: z.number() }), rows: [{ instruction: 7 }] }).map(
          'text',
          textGeneration({ model }) as never,
        );
      }),
    );
    expect(run.rest).toBe('partial');
    expect(server.requests).toHaveLength(0);
  });

  it('stores every answer of the provider: \\u0000, and 5 MB', async () => {
    const { server, model } = await provider({ fault: ({ request }) => (request.messages[0]?.content === 'large' ? 'huge' : 'nul') });
    const run = await ran(
      pipeline('odd', ({ source }) => void source('rows', instructions('large', 'nul')).map('text', textGeneration({ model }))),
    );
    const [large, nul] = await rowsIn(run);
    expect(large?.['generation']).toHaveLength(5 * 1024 * 1024);
    expect(nul?.['generation']).toBe('before\u0000after');
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
  });
});

describe('the recorded settings of a step that calls a model', () => {
  it('have the model’s id and address, the templates and the sampling', async () => {
    const { server, model } = await provider();
    const pipe = pipeline('settings', ({ source }) => {
      source('rows', topics).map('text', textGeneration({ model, prompt: 'On {{ topic }}', temperature: 0 }));
    });
    expect(plan(pipe).definition.steps[1]).toMatchObject({
      id: 'distilog/text-generation',
      version: '1',
      settings: {
        model: { id: 'tiny', baseURL: server.url },
        prompt: 'On {{ topic }}',
        systemPrompt: null,
        temperature: 0,
        numGenerations: 1,
      },
    });
  });

  it('have a prompt function’s text, so that another prompt gives another signature', async () => {
    const { model } = await provider();
    const of = (prompt: (row: { topic: string }) => string) =>
      plan(pipeline('functions', ({ source }) => void source('rows', topics).map('text', textGeneration({ model, prompt })))).manifest
        .signature;
    expect(of(({ topic }) => `On ${topic}`)).not.toBe(of(({ topic }) => `About ${topic}`));
  });
});

describe('a template', () => {
  const planned = (prompt: string, systemPrompt?: string) =>
    plan(
      pipeline('refusals', ({ source }) => {
        source('rows', topics).map('text', textGeneration({ model: refused, prompt, systemPrompt }));
      }),
    );
  const refused = { specificationVersion: 'v4', modelId: 'tiny', provider: 'none', doGenerate: () => undefined } as never;

  it('that reads a missing column is refused at definition, naming template, column and existing columns', () => {
    expect(() => planned('Write on {{ topc }}.')).toThrow(
      /^Step text \(text-generation\.test\.ts:\d+\): its template "Write on \{\{ topc \}\}\." reads column topc, and rows has topic, tone\./,
    );
    expect(() => planned('Fine: {{ topic }}.', 'As {{ who }}')).toThrow(/its template "As \{\{ who \}\}" reads column who/);
  });

  it('may set names, loop, test and default', () => {
    const fine = `{% set name = topic %}{% for letter in name %}{{ loop.index }}{{ letter }}{% endfor %}{% if extra is defined %}{{ extra }}{% endif %}
      {{ other | default("none") }}{{ tone.size }}{% macro shout(text, mark="!") %}{{ text }}{{ mark }}{% endmacro %}{{ shout(tone) }}{{ range(3) }}`;
    expect(() => planned(fine)).not.toThrow();
    expect(() => planned('{% for a in b %}{{ c[d] }}{% endfor %}')).toThrow(/reads column b/);
    expect(() => planned('{% for topic in topic %}{{ topic[index] }}{% endfor %}')).toThrow(/reads column index/);
    expect(() => planned('{{ letter }}{% for letter in topic %}{% endfor %}')).toThrow(/reads column letter/);
  });

  it('that is not Jinja is refused', () => {
    expect(() => planned('{{ topic ')).toThrow(/The template "\{\{ topic" is not Jinja/);
  });

  it('that reads the time is refused, because a prompt must depend only on its row', () => {
    expect(() => planned("{{ strftime_now('%Y') }}")).toThrow(/reads column strftime_now/);
  });

  it('of a renamed step names the library’s columns, and is refused by the pipeline’s', () => {
    const of = (names: { readonly subject: string }) =>
      plan(
        pipeline('names', ({ source }) => {
          source('rows', topics).map('text', renamed(textGeneration({ model: refused, prompt: '{{ subject }}' }), names));
        }),
      );
    expect(() => of({ subject: 'topic' })).not.toThrow();
    expect(() => of({ subject: 'tpic' })).toThrow(/reads column tpic, and rows has topic, tone/);
  });
});
