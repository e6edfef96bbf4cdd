import { afterEach } from 'vitest';
import { z } from 'zod';
import type { Call, RecordedEvent } from '../../../schema/index.ts';
import { languageModel, type LanguageModel, type LanguageModelOptions } from '../../../src/llm/index.ts';
import type { JsonObject } from '../../../src/kit/json.ts';
import type { SourceStep } from '../../../src/pipeline/index.ts';
import { callsOf, type ChunkEvent } from '../../../src/rows/index.ts';
import { startLlmServer, type LlmServer, type LlmServerOptions } from '../../llm-server/server.ts';
import { eventsOf, rowsOf, type Ran } from '../engine/engine.ts';

const open: LlmServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

/** The key for tests. */
export const key = 'sk-test-4f9a7c2e81d05b36';

/** Starts a provider, which is stopped after the test, and returns a model of it. */
export async function provider(
  options: LlmServerOptions = {},
  of: LanguageModelOptions = {},
): Promise<{ readonly server: LlmServer; readonly model: LanguageModel }> {
  process.env['OPENAI_API_KEY'] = key;
  const server = await startLlmServer({ apiKey: key, ...options });
  open.push(server);
  return { server, model: languageModel('tiny', { baseURL: server.url, ...of }) };
}

/** A source of instructions. */
export const instructions = (...texts: readonly string[]): SourceStep<z.ZodObject<{ instruction: z.ZodString }>> => ({
  output: z.object({ instruction: z.string() }),
  rows: texts.map((instruction) => ({ instruction })),
});

/** Options of a step that retries rows without delay. */
export const quick = { retry: { attempts: 3, backoffMs: 1 } } as const;

/** The rejections and the number of failed attempts of a run. */
export const rejections = (events: readonly RecordedEvent[]) =>
  events.flatMap((event) => (event.type === 'BatchSucceeded' ? event.data.rejected.rows : []));

/** The total usage that a run's events record. */
export function consumed(events: readonly RecordedEvent[]) {
  const sum = { calls: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0 };
  for (const event of events) {
    if (event.type !== 'BatchSucceeded' && event.type !== 'BatchFailed' && event.type !== 'BatchProgressed') continue;
    for (const usage of event.data.usage) for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += usage[name];
  }
  return sum;
}

/** The totals of the provider's ledger: all calls, and the tokens of delivered answers. */
export function billed({ ledger }: LlmServer) {
  const sum = { calls: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0 };
  for (const entry of ledger.entries) {
    sum.calls++;
    if (!entry.wasDelivered) continue;
    for (const name of ['inputTokens', 'outputTokens', 'cachedTokens', 'reasoningTokens'] as const) sum[name] += entry[name];
  }
  return sum;
}

/** All calls of a run, in the order of the events that record them. */
export const callsIn = async ({ store, runId }: Ran): Promise<readonly Call[]> => {
  const telling = (await eventsOf(store, runId)).filter(({ type }) => ['BatchSucceeded', 'BatchFailed', 'BatchProgressed'].includes(type));
  return (await Promise.all(telling.map((event) => callsOf(event as ChunkEvent, store.chunks)))).flat();
};

/** The rows of a run's only leaf. */
export const rowsIn = async ({ store, runId }: Ran): Promise<readonly JsonObject[]> => (await rowsOf(store, runId))['default'] ?? [];
