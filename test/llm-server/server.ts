import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { fitting, sentence } from './answers.ts';
import type { FaultName } from './faults.ts';
import { Ledger } from './ledger.ts';
import { unwell } from './replies.ts';
import { completion, type Asked, type ChatRequest, type Reply } from './wire.ts';

export interface LlmServerOptions {
  readonly port?: number;
  readonly latencyMs?: number;
  /** Returns how long a request takes, if requests differ. */
  readonly slow?: (asked: Asked) => number;
  /** The key that is accepted. Without one, every key is accepted. */
  readonly apiKey?: string | undefined;
  /** Returns the fault of a request. */
  readonly fault?: (asked: Asked) => FaultName | undefined;
  /** What is answered, instead of words at random. */
  readonly answer?: (asked: Asked) => string | undefined;
  /** Whether answers end because they grew too long. */
  readonly cutOff?: boolean;
  readonly ledgerFile?: string;
}

export interface LlmServer {
  /** The base URL of its API. */
  readonly url: string;
  readonly ledger: Ledger;
  readonly requests: readonly ChatRequest[];
  /** The key of each request, or an empty text without one. */
  readonly keys: readonly string[];
  /** The most requests that were being answered at one time, from the n-th request on. */
  readonly busiestFrom: (number: number) => number;
  close(): Promise<void>;
}

/** Starts a provider of language models on this machine. It is deterministic, injects the given faults, and speaks OpenAI's chat completions. */
export async function startLlmServer(options: LlmServerOptions = {}): Promise<LlmServer> {
  const ledger = new Ledger(options.ledgerFile);
  const requests: ChatRequest[] = [];
  const keys: string[] = [];
  const attempts = new Map<string, number>();
  for (const { key } of ledger.entries) attempts.set(key, (attempts.get(key) ?? 0) + 1);
  const busy: number[] = [];
  let inFlight = 0;
  const app = new Hono<{ Bindings: { incoming: IncomingMessage; outgoing: ServerResponse } }>();
  app.post('/v1/chat/completions', async (context) => {
    const request = (await context.req.json()) as ChatRequest;
    requests.push(request);
    busy.push(++inFlight);
    const key = keyOf(request);
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    const asked = { key, attempt, request, number: requests.length };
    const given = context.req.header('authorization')?.replace('Bearer ', '') ?? '';
    keys.push(given);
    const isKnown = options.apiKey === undefined || given === options.apiKey;
    const fault = isKnown ? options.fault?.(asked) : 'unauthorized';
    const { outgoing } = context.env;
    let hasGone = false;
    outgoing.once('close', () => {
      hasGone ||= !outgoing.writableFinished;
    });
    const latencyMs = options.slow?.(asked) ?? options.latencyMs ?? 0;
    if (latencyMs > 0) await sleep(latencyMs);
    const reply = unwell(fault, asked, given) ?? well(asked, options.answer?.(asked), options.cutOff ? 'length' : 'stop');
    const note = (wasDelivered: boolean) => {
      inFlight--;
      const { input = 0, output = 0, cached = 0, reasoning = 0 } = reply.tokens ?? {};
      const tokens = { inputTokens: input, outputTokens: output, cachedTokens: cached, reasoningTokens: reasoning };
      ledger.add({
        at: Date.now(),
        model: request.model,
        key,
        seed: request.seed ?? 0,
        attempt,
        outcome: fault ?? 'answered',
        status: reply.status,
        answer: (reply.body ?? '').slice(0, answerMax),
        ...tokens,
        wasDelivered,
      });
    };
    if (reply.kind === 'hang' && !hasGone) await new Promise((resolve) => outgoing.once('close', resolve));
    if (reply.kind === 'cut') {
      if (reply.body)
        outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': reply.body.length * 2 }).write(reply.body);
      await sleep(5);
      outgoing.destroy();
    }
    if (reply.kind !== 'sent') {
      note(false);
      return RESPONSE_ALREADY_SENT;
    }
    if (hasGone) note(false);
    else {
      outgoing.once('finish', () => note(true));
      outgoing.once('close', () => {
        if (!outgoing.writableFinished) note(false);
      });
    }
    return new Response(reply.body, { status: reply.status, headers: { 'content-type': 'application/json', ...reply.headers } });
  });
  const server = serve({ fetch: app.fetch, port: options.port ?? 0, hostname: '127.0.0.1' });
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    ledger,
    requests,
    keys,
    busiestFrom: (number) => Math.max(0, ...busy.slice(number - 1)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        (server as { closeAllConnections?: () => void }).closeAllConnections?.();
      }),
  };
}

/** The number of characters of an answer that the ledger keeps. */
const answerMax = 500;

const keyOf = ({ model, messages }: ChatRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([model, messages]))
    .digest('hex');

function well({ key, request }: Asked, given: string | undefined, finishReason: string): Reply {
  return { kind: 'sent', status: 200, ...completion(request, given ?? answerTo(key, request), finishReason) };
}

function answerTo(key: string, { seed = 0, response_format: format, messages }: ChatRequest): string {
  const luck = `${key}/${seed}`;
  const written = /JSON Schema:\n(\{.*\})/.exec(messages.map(({ content }) => content).join('\n'))?.[1];
  const schema = format?.json_schema?.schema ?? (written === undefined ? undefined : (JSON.parse(written) as object));
  // A judge is asked for as many verdicts as there are answers.
  const items = /Give (\d+) verdicts/.exec(messages.findLast(({ role }) => role === 'user')?.content ?? '')?.[1];
  return schema ? JSON.stringify(fitting(schema, luck, items === undefined ? undefined : Number(items))) : sentence(luck);
}
