// Responses with HTTP 200 that are errors, or completions in other shapes than OpenAI's.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { languageModel, textGeneration } from '../../../src/llm/index.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import { eventsOf, ran, type Ran } from '../engine/engine.ts';
import { callsIn, instructions, quick, rejections, rowsIn } from './providers.ts';

let body: object = {};
const server = http.createServer((_request, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)));
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(() => void server.close());

async function respond(sent: object): Promise<Ran> {
  body = sent;
  const model = languageModel('m', { baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, apiKeyEnv: null });
  return ran(pipeline('odd', ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model }), quick)));
}

const completion = (content: unknown, usage?: object) => ({
  id: 'c',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
  ...(usage ? { usage } : {}),
});

it.each([
  [{ error: { code: 502, message: 'Upstream is down' } }, 'overloaded', /Upstream is down/],
  [{ error: { message: 'It broke' } }, 'overloaded', /It broke/],
  [{ error: 'It broke' }, 'overloaded', /It broke/],
  [{ error: { code: 400, message: 'No such setting' } }, 'bad-request', /No such setting/],
  [{ error: { type: 'invalid_request_error', code: null, message: 'No such setting' } }, 'bad-request', /No such setting/],
  [{ error: { code: '400', type: 'context_length_exceeded', message: 'Too long' } }, 'context-length', /Too long/],
  [{ choices: [{ finish_reason: 'error', error: { code: 503, message: 'Gone' }, message: { content: 'Half' } }] }, 'overloaded', /Gone/],
])('classifies an error in a body: %j', async (sent, code, message) => {
  const run = await respond(sent);
  expect(rejections(await eventsOf(run.store, run.runId))).toMatchObject([{ code, message: expect.stringMatching(message) as string }]);
});

it.each([
  ['usage as texts', completion('Lima.', { prompt_tokens: '5', completion_tokens: '3', total_tokens: '8' }), [5, 3]],
  ['usage that is no number', completion('Lima.', { prompt_tokens: 'many', completion_tokens: 3 }), [0, 3]],
  ['no usage', completion('Lima.'), [0, 0]],
  ['a list of parts', completion([{ type: 'text', text: 'Li' }, { type: 'other' }, { type: 'text', text: 'ma.' }]), [0, 0]],
])('reads a completion with %s', async (_shape, sent, [inputTokens, outputTokens]) => {
  const run = await respond(sent);
  expect(await rowsIn(run)).toEqual([{ instruction: 'a', generation: 'Lima.', modelName: 'm' }]);
  expect(await callsIn(run)).toMatchObject([{ inputTokens, outputTokens }]);
});

it('pauses the run for a refused key, and waits for a rate limit, if the body says so', async () => {
  expect((await respond({ error: { code: 401, message: 'No such key' } })).rest).toBe('paused');
  setTimeout(() => {
    body = completion('Lima.');
  }, 300);
  const run = await respond({ error: { code: 429, message: 'Slow down' } });
  expect(run.rest).toBe('succeeded');
  expect((await callsIn(run))[0]).toMatchObject({ finishReason: 'rate-limit' });
}, 20_000);
