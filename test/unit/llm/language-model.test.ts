import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterEach, describe, expect, it } from 'vitest';
import { judge, languageModel, structuredGeneration, textGeneration, type AnyModel } from '../../../src/llm/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { z } from 'zod';
import { eventsOf, ran } from '../engine/engine.ts';
import { billed, callsIn, consumed, instructions, key, provider, quick, rowsIn } from './providers.ts';

afterEach(() => {
  delete process.env['OPENAI_BASE_URL'];
});

const createPrompter = (model: AnyModel) =>
  pipeline('asking', ({ source }) => void source('rows', instructions('a', 'b')).map('text', textGeneration({ model })));

describe('languageModel', () => {
  it('reads its address from the environment when it runs, not when it is defined', async () => {
    const pipe = createPrompter(languageModel('tiny'));
    const planned = plan(pipe);
    const { server } = await provider();
    process.env['OPENAI_BASE_URL'] = server.url;
    const run = await ran(pipe);
    expect(run.rest).toBe('succeeded');
    expect(server.requests).toHaveLength(2);
    expect(planned.definition.steps[1]?.settings).toMatchObject({ model: { id: 'tiny', baseURL: { env: 'OPENAI_BASE_URL' } } });
    expect(plan(pipe).manifest.signature).toBe(planned.manifest.signature);
  });

  it.each([
    ['http://me:hidden@127.0.0.1/v1', /OPENAI_BASE_URL contains a user or a query/],
    ['127.0.0.1/v1', /OPENAI_BASE_URL is not an address/],
  ])('pauses the run for an invalid address in the environment (%#), and does not show it', async (url, message) => {
    await provider();
    process.env['OPENAI_BASE_URL'] = url;
    const run = await ran(
      pipeline(
        'lost',
        ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model: languageModel('tiny') }), quick),
      ),
    );
    const paused = (await eventsOf(run.store, run.runId)).find(({ type }) => type === 'RunPaused');
    expect(paused?.data).toMatchObject({ reason: 'resource', message: expect.stringMatching(message) as string });
    expect(JSON.stringify(await eventsOf(run.store, run.runId))).not.toContain('hidden');
  });

  it('sends the key of the named variable, and records neither', async () => {
    const { server } = await provider({ apiKey: 'another-key-8c1d' });
    process.env['ANOTHER_KEY'] = 'another-key-8c1d';
    const pipe = createPrompter(languageModel('tiny', { baseURL: server.url, apiKeyEnv: 'ANOTHER_KEY' }));
    const run = await ran(pipe);
    expect(run.rest).toBe('succeeded');
    expect(JSON.stringify([plan(pipe).definition, plan(pipe).manifest, await eventsOf(run.store, run.runId)])).not.toContain('another-key');
  });

  it('sends no key to a server that needs none', async () => {
    const { server } = await provider({ apiKey: undefined });
    const pipe = createPrompter(languageModel('tiny', { baseURL: server.url, apiKeyEnv: null }));
    delete process.env['OPENAI_API_KEY'];
    const run = await ran(pipe);
    expect(run.rest).toBe('succeeded');
    expect(server.keys).toEqual(['', '']);
  });

  it('has settings of its own, which a step’s settings override', async () => {
    const { server, model } = await provider(
      {},
      { temperature: 0.1, topP: 0.9, providerOptions: { openai: { reasoningEffort: 'low' } }, sendsSeed: false },
    );
    await ran(
      pipeline(
        'settings',
        ({ source }) =>
          void source('rows', instructions('a')).map('text', textGeneration({ model, temperature: 0.7, stopSequences: ['END'] })),
      ),
    );
    expect(server.requests[0]).toMatchObject({ temperature: 0.7, top_p: 0.9, stop: ['END'], reasoning_effort: 'low' });
    expect(server.requests[0]).not.toHaveProperty('seed');
  });

  it.each([
    [() => languageModel(''), /A language model needs an id/],
    [() => languageModel('tiny', { baseURL: 'localhost:8000' }), /baseURL is not an address\. Use one such as/i],
    [() => languageModel('tiny', { baseURL: 'http://me:secret@localhost/v1' }), /^(?!.*secret).*baseURL contains a user or a query/i],
    [() => languageModel('tiny', { requestsPerMinute: 0 }), /requestsPerMinute must be a number above 0/i],
    [() => textGeneration({ model: 'gpt-4o' as never }), /Model is not a language model\. Use languageModel\('id'\)/],
    [() => textGeneration({ model: languageModel('tiny'), numGenerations: 0 }), /numGenerations must be a whole number from 1/],
  ])('refuses invalid options (%#)', (define, message) => {
    expect(define).toThrow(message);
  });
});

describe('a model object of the AI SDK', () => {
  it('can be used as a model, and is recorded by id and provider', async () => {
    const { server } = await provider();
    const model = createOpenAICompatible({ name: 'elsewhere', baseURL: server.url, apiKey: key })('small');
    const pipe = pipeline('sdk', ({ source }) => {
      source('rows', instructions('a'))
        .map('text', textGeneration({ model, numGenerations: 2 }))
        .map('judge', judge({ model }))
        .map('data', structuredGeneration({ model, schema: z.object({ title: z.string() }) }));
    });
    const run = await ran(pipe);
    expect(run.rest).toBe('succeeded');
    const [row] = await rowsIn(run);
    expect(Object.keys(row ?? {})).toEqual(['instruction', 'generations', 'modelName', 'ratings', 'rationales', 'title']);
    expect(row?.['modelName']).toBe('small');
    expect(plan(pipe).definition.steps[1]?.settings).toMatchObject({ model: { id: 'small', provider: 'elsewhere.chat' } });
    expect(JSON.stringify(await eventsOf(run.store, run.runId))).not.toContain(key);
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
    // Its provider may not enforce a schema, so the schema was written into the prompt.
    expect(server.requests.at(-1)?.messages[0]?.content).toMatch(/JSON Schema/);
  });
});

describe('the usage of a call', () => {
  it('has the billed tokens, the duration and the finish reason', async () => {
    const { server, model } = await provider({ latencyMs: 30 });
    const run = await ran(createPrompter(model));
    const calls = await callsIn(run);
    expect(calls).toHaveLength(2);
    for (const call of calls) {
      expect(call.latencyMs).toBeGreaterThanOrEqual(29);
      expect(call).toMatchObject({ model: 'tiny', finishReason: 'stop', prompt: null });
    }
    const sorted = (of: readonly { readonly outputTokens: number }[]) => of.map(({ outputTokens }) => outputTokens).sort((a, b) => a - b);
    expect(sorted(calls)).toEqual(sorted(server.ledger.entries));
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
  });
});
