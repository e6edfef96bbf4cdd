import { describe, expect, it } from 'vitest';
import { languageModel, textGeneration, type LanguageModel } from '../../../src/llm/index.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import type { FaultName } from '../../llm-server/faults.ts';
import { eventsOf, ran, resumed } from '../engine/engine.ts';
import { billed, callsIn, consumed, instructions, key, provider, quick, rejections, rowsIn } from './providers.ts';

const createPrompter = (model: LanguageModel, options = {}, numGenerations = 1) =>
  pipeline(
    'asking',
    ({ source }) =>
      void source('rows', instructions('a', 'b')).map('text', textGeneration({ model, numGenerations: numGenerations as 1 }), {
        ...quick,
        ...options,
      }),
  );

/** A provider that fails the first attempt at each row. */
const failingOnce = (fault: FaultName) => provider({ fault: ({ attempt }) => (attempt === 1 ? fault : undefined) });

describe('a temporary error', () => {
  it.each([
    ['rate-limit-bare', 'rate-limit', 0],
    ['rate-limit-ms', 'rate-limit', 140],
    ['rate-limit', 'rate-limit', 990],
    ['rate-limit-date', 'rate-limit', 500],
    ['server-error', 'overloaded', 0],
    ['unavailable', 'overloaded', 140],
    ['cut', 'overloaded', 0],
    ['cut-body', 'overloaded', 0],
    ['malformed-json', 'invalid-response', 0],
    ['no-choices', 'invalid-response', 0],
    ['empty', 'empty-answer', 0],
  ] as const)('%s: is reported as %s, and the row is retried, not before %i ms', async (fault, code, waitMs) => {
    const { server, model } = await failingOnce(fault);
    const run = await ran(createPrompter(model));
    expect(run.rest).toBe('succeeded');
    const events = await eventsOf(run.store, run.runId);
    const failed = events.find((event) => event.type === 'BatchFailed');
    expect(failed?.data).toMatchObject({ error: { code }, pending: 2 });
    // Counted from the request: the rest of the attempt may use part of it.
    if (failed?.type === 'BatchFailed') expect(failed.data.elapsedMs + (failed.data.retryInMs ?? 0)).toBeGreaterThanOrEqual(waitMs);
    expect((await callsIn(run)).map(({ finishReason, attempt }) => `${attempt} ${finishReason}`)).toEqual([
      `1 ${code}`,
      `1 ${code}`,
      '2 stop',
      '2 stop',
    ]);
    expect(consumed(events)).toEqual(billed(server));
  });
});

describe('a provider that limits the rate', () => {
  it('costs no attempt, however often it refuses', async () => {
    const { server, model } = await provider({ fault: ({ attempt }) => (attempt <= 5 ? 'rate-limit-ms' : undefined) });
    const run = await ran(createPrompter(model));
    expect(run.rest).toBe('succeeded');
    expect(server.ledger.entries.length).toBeGreaterThanOrEqual(12);
    const events = await eventsOf(run.store, run.runId);
    const counted = events.flatMap((event) => (event.type === 'BatchFailed' ? event.data.counted : []));
    expect(counted.length).toBeGreaterThanOrEqual(5);
    expect(new Set(counted)).toEqual(new Set([false]));
  }, 20_000);
});

describe('an error that a retry would not fix', () => {
  it.each([
    ['context-length', 'context-length', /maximum context length/],
    ['filter-error', 'content-filter', /content management policy/],
    ['filtered', 'content-filter', /withheld its answer \(content_filter\)/],
    ['bad-request', 'bad-request', /Unsupported value/],
    ['length', 'empty-answer', /Raise maxOutputTokens/],
  ] as const)('%s: rejects the row at once as %s', async (fault, code, message) => {
    const { server, model } = await failingOnce(fault);
    const run = await ran(createPrompter(model));
    expect(run.rest).toBe('partial');
    const events = await eventsOf(run.store, run.runId);
    const rejected = { code, message: expect.stringMatching(message) as string, attempts: 1 };
    expect(rejections(events)).toMatchObject([rejected, rejected]);
    expect((await callsIn(run)).map(({ finishReason }) => finishReason)).toEqual([code, code]);
    expect(consumed(events)).toEqual(billed(server));
  });
});

describe('an error that would fail every row', () => {
  it.each([
    ['unauthorized', 'auth', /refused the key \(HTTP 401\).*Set another key in the environment/],
    ['forbidden', 'auth', /refused the key \(HTTP 403\)/],
    ['payment-required', 'quota', /no quota left/],
    ['insufficient-quota', 'quota', /exceeded your current quota/],
    ['model-not-found', 'resource', /was not found \(HTTP 404\): The model tiny does not exist\. Check the model id/],
  ] as const)('%s: pauses the run, and no row is lost', async (fault, reason, message) => {
    const { model } = await failingOnce(fault);
    const pipe = createPrompter(model, { retry: { attempts: 1 } });
    const run = await ran(pipe);
    expect(run.rest).toBe('paused');
    const paused = (await eventsOf(run.store, run.runId)).find(({ type }) => type === 'RunPaused');
    expect(paused?.data).toMatchObject({ reason, step: 'text', message: expect.stringMatching(message) as string });
    expect(await resumed(run.store, run.runId, pipe)).toBe('succeeded');
    expect(await rowsIn(run)).toHaveLength(2);
  });

  it('a missing key: pauses before any call, and names the variable to set', async () => {
    const { server } = await provider();
    const model = languageModel('tiny', { baseURL: server.url, apiKeyEnv: 'TINY_KEY' });
    const pipe = createPrompter(model);
    delete process.env['TINY_KEY'];
    const run = await ran(pipe);
    expect(run.rest).toBe('paused');
    const paused = (await eventsOf(run.store, run.runId)).find(({ type }) => type === 'RunPaused');
    expect(paused?.data).toMatchObject({
      reason: 'auth',
      message: expect.stringMatching(/environment variable TINY_KEY is not set.*apiKeyEnv: null/) as string,
    });
    expect(server.requests).toHaveLength(0);
    process.env['TINY_KEY'] = key;
    expect(await resumed(run.store, run.runId, pipe)).toBe('succeeded');
  });

  it('a key that is refused from the second call on: earlier answers are kept', async () => {
    const { server, model } = await provider({ fault: ({ number }) => (number === 2 ? 'unauthorized' : undefined) });
    const pipe = createPrompter(model, { concurrency: 1 });
    const run = await ran(pipe);
    expect(run.rest).toBe('paused');
    expect(await resumed(run.store, run.runId, pipe)).toBe('succeeded');
    expect(server.requests.map(({ messages }) => messages[0]?.content)).toEqual(['a', 'b', 'b']);
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
  });
});

describe('a call without an answer', () => {
  it('is aborted after timeoutMs and reported as timeout, and its connection is closed', async () => {
    const { server, model } = await failingOnce('hang');
    const run = await ran(createPrompter(model, { timeoutMs: 150 }));
    expect(run.rest).toBe('succeeded');
    expect((await callsIn(run)).map(({ finishReason }) => finishReason)).toEqual(['timeout', 'timeout', 'stop', 'stop']);
    expect(server.ledger.entries.filter(({ outcome }) => outcome === 'hang')).toMatchObject([
      { wasDelivered: false },
      { wasDelivered: false },
    ]);
  });
});

describe('a server that does not exist', () => {
  it('is named by its address', async () => {
    const { server, model } = await provider();
    await server.close();
    const run = await ran(createPrompter(model));
    const [rejected] = rejections(await eventsOf(run.store, run.runId));
    expect(rejected).toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining(`Model tiny at ${server.url} could not answer`) as string,
    });
  });
});

describe('the message of a provider', () => {
  it('does not pause the run because it repeats words of the prompt', async () => {
    const { model } = await provider({ fault: () => 'echo' });
    const texts = ['Explain billing and quota.', 'Why was my model not found?', 'What is too many tokens?', 'Is safety moderation wise?'];
    const run = await ran(
      pipeline('echo', ({ source }) => void source('rows', instructions(...texts)).map('text', textGeneration({ model }))),
    );
    expect(run.rest).toBe('partial');
    expect(rejections(await eventsOf(run.store, run.runId)).map(({ code }) => code)).toEqual(texts.map(() => 'bad-request'));
  });
});

describe('several answers to a row', () => {
  it('are all billed when one of them fails, and only that one is requested again', async () => {
    const { server, model } = await provider({
      fault: ({ number }) => (number === 1 ? 'server-error' : undefined),
      slow: ({ number }) => (number === 1 ? 0 : 60),
    });
    const run = await ran(createPrompter(model, {}, 3));
    expect(run.rest).toBe('succeeded');
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
    expect(server.requests).toHaveLength(7);
    for (const { generations } of await rowsIn(run)) expect(new Set(generations as string[]).size).toBe(3);
  });
});

describe('the key', () => {
  it('with characters that a key cannot have is refused before it is sent, and not shown', async () => {
    const { server } = await provider();
    process.env['BROKEN_KEY'] = `${key}\n${key}`;
    const run = await ran(createPrompter(languageModel('tiny', { baseURL: server.url, apiKeyEnv: 'BROKEN_KEY' })));
    expect(run.rest).toBe('paused');
    const events = JSON.stringify(await eventsOf(run.store, run.runId));
    expect(events).toContain('BROKEN_KEY, the key of model tiny, contains characters that a key cannot have');
    expect(events).not.toContain(key);
    expect(server.requests).toHaveLength(0);
  });

  it.each(['unauthorized', 'server-error', 'bad-request', 'cut', 'filtered', 'not-json'] as const)(
    'is nowhere in the log of a run with %s',
    async (fault) => {
      const { model } = await provider({ fault: () => fault });
      const run = await ran(createPrompter(model, { retry: { attempts: 1 } }));
      const events = JSON.stringify(await eventsOf(run.store, run.runId));
      expect(events).not.toContain(key);
      if (fault === 'unauthorized') expect(events).toContain('Incorrect API key provided: [key]');
      expect(JSON.stringify(await callsIn(run))).not.toContain(key);
    },
  );
});
