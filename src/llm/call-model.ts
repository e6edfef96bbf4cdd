import { generateText, type LanguageModel as SdkModel, type ModelMessage } from 'ai';
import { codeOf } from '../kit/fault.ts';
import { isRetryableError, NonRetryableError, RetryableError, type Context, type Usage } from '../pipeline/index.ts';
import type { CallSettings } from './call-settings.ts';
import type { ChatMessage } from './chat-message.ts';
import type { Client, LanguageModel } from './language-model.ts';
import type { Outcome } from './limiter.ts';
import { toModelError } from './model-error.ts';
import { jsonOutput, type JsonFormat } from './json-output.ts';

/** One request to a model. */
export interface ModelRequest {
  readonly messages: readonly ChatMessage[];
  readonly settings: CallSettings;
  readonly format?: JsonFormat | undefined;
  /** The index of this answer among several to the same prompt. Each answer has its own seed. */
  readonly index?: number | undefined;
  /** The prompt that a function made from the row, to be recorded with the call. */
  readonly prompt?: string | undefined;
}

/** The answer of a model. */
export interface Answer {
  readonly text: string;
  readonly finishReason: string;
}

/**
 * Calls a model once, after its limiter admits the call, and reports the usage exactly once, however the call ends. Returns what `read` makes of the answer.
 * If `read` throws, the call counts as failed with that error.
 */
export async function callModel<T>(model: LanguageModel, context: Context, request: ModelRequest, read: (answer: Answer) => T): Promise<T> {
  const { signal } = context;
  const client = await context.use(model.client);
  const { onTruncated = await context.onTruncated?.(), ...settings } = { ...model.callSettings, ...request.settings };
  const characters = request.messages.reduce((sum, { content }) => sum + content.length, 0);
  const admission = await context.untimed((waiting) =>
    client.limiter.admit({ characters, maxOutputTokens: settings.maxOutputTokens }, waiting),
  );
  const startedAt = performance.now();
  const call = new Call(context, { model: model.id, prompt: request.prompt });
  // An aborted call is reported at once, because the caller that aborted it does not wait for it.
  const onAbort = () => call.reportFailure(codeOf(signal.reason) ?? 'aborted', performance.now() - startedAt);
  signal.addEventListener('abort', onAbort, { once: true });
  let outcome: Outcome = { kind: 'failed' };
  try {
    const result = await generateText({
      model: client.sdkModel as SdkModel,
      messages: request.messages as ModelMessage[],
      allowSystemInMessages: true,
      maxRetries: 0,
      abortSignal: signal,
      ...(model.sendsSeed ? { seed: deriveSeed(context.seed, request.index ?? 0) } : {}),
      ...(request.format ? { output: jsonOutput(request.format) } : {}),
      ...(settings as object),
    });
    const { usage } = result;
    const [inputTokens = 0, outputTokens = 0] = [usage.inputTokens, usage.outputTokens];
    outcome = { kind: 'answered', tokens: inputTokens + outputTokens, outputTokens };
    call.consumed = {
      inputTokens,
      outputTokens,
      cachedTokens: usage.inputTokenDetails.cacheReadTokens,
      reasoningTokens: usage.outputTokenDetails.reasoningTokens,
    };
    const finishReason = result.rawFinishReason ?? result.finishReason;
    const answer = { text: result.text, finishReason };
    refuseFiltered(answer, result.finishReason === 'content-filter', client.name);
    if (result.finishReason === 'length' && onTruncated !== 'keep') throw truncated(client.name);
    const value = read(answer);
    call.reportAnswer(finishReason, performance.now() - startedAt);
    return value;
  } catch (thrown) {
    const error = toModelError(thrown, { model: client.name, redact: client.redact, now: Date.now() });
    const code = codeOf(error) ?? 'error';
    const retryAfterMs = isRetryableError(error) ? (error.retryAfterMs ?? null) : null;
    if (code === 'rate-limit' || retryAfterMs !== null) outcome = { kind: 'refused', retryAfterMs };
    logWait(context, client, retryAfterMs ?? 0);
    call.reportFailure(code, performance.now() - startedAt);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    admission.end(outcome);
  }
}

/** Reports the usage of one call, once. */
class Call {
  consumed: Usage = {};
  readonly #context: Context;
  readonly #request: Usage;
  #isOver = false;

  constructor(context: Context, request: Usage) {
    this.#context = context;
    this.#request = request;
  }

  reportAnswer(finishReason: string, latencyMs: number): void {
    this.#end({ finishReason, latencyMs });
  }

  reportFailure(code: string, latencyMs: number): void {
    this.#end({ finishReason: code, latencyMs, thrownAway: true });
  }

  #end(end: Usage): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.usage({ ...this.#request, ...this.consumed, ...end });
  }
}

/** Shorter waits are not logged. */
const loggedWaitMinMs = 20_000;

/** Logs a long wait that the provider asked for, once. */
function logWait({ log }: Context, { name, limiter }: Client, waitMs: number): void {
  if (waitMs < loggedWaitMinMs || waitMs < limiter.heldMs + loggedWaitMinMs) return;
  const until = new Date(Date.now() + waitMs).toLocaleString('sv-SE');
  log.warn(`The ${name} asks for a pause, so the run waits until ${until}. Press Ctrl-C to pause the run instead; no rows are lost.`);
}

/** Throws for an answer that the provider filtered, and for an empty one. */
function refuseFiltered({ text, finishReason }: Answer, isFiltered: boolean, name: string): void {
  if (isFiltered) throw new NonRetryableError(`The ${name} withheld its answer (${finishReason}).`, { code: 'content-filter' });
  if (text.trim() !== '') return;
  if (finishReason !== 'length') throw new RetryableError(`The ${name} gave an empty answer (${finishReason}).`, { code: 'empty-answer' });
  const why = 'used all its output tokens before it began its answer';
  throw new NonRetryableError(`The ${name} ${why}. Raise maxOutputTokens.`, { code: 'empty-answer' });
}

const truncated = (name: string): NonRetryableError =>
  new NonRetryableError(
    `The answer of the ${name} was cut off at maxOutputTokens. Raise maxOutputTokens, or accept such answers with onTruncated: 'keep'.`,
    { code: 'truncated' },
  );

/** Returns a seed of 31 bits, the most that many providers accept. */
const deriveSeed = (seed: number, index: number): number => (seed + index) & 0x7fffffff;
