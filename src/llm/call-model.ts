import { generateText, type LanguageModel as SdkModel, type ModelMessage } from 'ai';
import { codeOf } from '../kit/fault.ts';
import { isRetryableError, NonRetryableError, RetryableError, type Context, type Usage } from '../pipeline/index.ts';
import type { CallSettings } from './call-settings.ts';
import type { ChatMessage } from './chat-message.ts';
import type { Client, LanguageModel } from './language-model.ts';
import type { Outcome } from './limiter.ts';
import { modelError } from './model-error.ts';
import { jsonOutput, type JsonFormat } from './json-output.ts';

/** One request to a model. */
export interface ModelRequest {
  readonly messages: readonly ChatMessage[];
  readonly settings: CallSettings;
  readonly format?: JsonFormat | undefined;
  /** Which of several answers to the same question: each has a seed of its own. */
  readonly index?: number | undefined;
  /** What a function made of the row, to be recorded with the call. */
  readonly prompt?: string | undefined;
}

/** What a model answered. */
export interface Answer {
  readonly text: string;
  readonly finishReason: string;
}

/**
 * Calls a model once, when its limiter admits the call, and reports what that consumed exactly once, however it ends. `read` makes of the answer what is
 * wanted; what it throws is how the call ended.
 */
export async function callModel<T>(model: LanguageModel, context: Context, request: ModelRequest, read: (answer: Answer) => T): Promise<T> {
  const { signal } = context;
  const client = await context.use(model.client);
  const settings = { ...model.callSettings, ...request.settings };
  const characters = request.messages.reduce((sum, { content }) => sum + content.length, 0);
  const admission = await context.untimed((waiting) =>
    client.limiter.admit({ characters, maxOutputTokens: settings.maxOutputTokens }, waiting),
  );
  const startedAt = performance.now();
  const call = new Call(context, { model: model.id, prompt: request.prompt });
  // A call that is given up is told of at once: whoever gave it up does not wait for it.
  const onAbort = () => call.failed(codeOf(signal.reason) ?? 'aborted', performance.now() - startedAt);
  signal.addEventListener('abort', onAbort, { once: true });
  let outcome: Outcome = { kind: 'failed' };
  try {
    const result = await generateText({
      model: client.sdkModel as SdkModel,
      messages: request.messages as ModelMessage[],
      allowSystemInMessages: true,
      maxRetries: 0,
      abortSignal: signal,
      ...(model.sendsSeed ? { seed: seedOf(context.seed, request.index ?? 0) } : {}),
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
    const wanted = read(answer);
    call.answered(finishReason, performance.now() - startedAt);
    return wanted;
  } catch (thrown) {
    const error = modelError(thrown, { model: client.name, redact: client.redact, now: Date.now() });
    const code = codeOf(error) ?? 'error';
    const retryAfterMs = isRetryableError(error) ? (error.retryAfterMs ?? null) : null;
    if (code === 'rate-limit' || retryAfterMs !== null) outcome = { kind: 'refused', retryAfterMs };
    tellWait(context, client, retryAfterMs ?? 0);
    call.failed(code, performance.now() - startedAt);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    admission.end(outcome);
  }
}

/** One call, reported once. */
class Call {
  consumed: Usage = {};
  readonly #context: Context;
  readonly #asked: Usage;
  #isOver = false;

  constructor(context: Context, asked: Usage) {
    this.#context = context;
    this.#asked = asked;
  }

  answered(finishReason: string, latencyMs: number): void {
    this.#end({ finishReason, latencyMs });
  }

  failed(code: string, latencyMs: number): void {
    this.#end({ finishReason: code, latencyMs, thrownAway: true });
  }

  #end(how: Usage): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.usage({ ...this.#asked, ...this.consumed, ...how });
  }
}

/** Shorter waits are not worth a word. */
const toldWaitMs = 20_000;

/** Tells whoever watches, once, that the provider is to be left alone for a while. */
function tellWait({ log }: Context, { name, limiter }: Client, waitMs: number): void {
  if (waitMs < toldWaitMs || waitMs < limiter.heldMs + toldWaitMs) return;
  const until = new Date(Date.now() + waitMs).toLocaleString('sv-SE');
  log.warn(`The ${name} asks to be left alone: the run waits until ${until} for it. Ctrl-C pauses the run, and nothing is lost.`);
}

/** An answer that was withheld, or that is no answer. */
function refuseFiltered({ text, finishReason }: Answer, isFiltered: boolean, name: string): void {
  if (isFiltered) throw new NonRetryableError(`The ${name} withheld its answer (${finishReason}).`, { code: 'content-filter' });
  if (text.trim() !== '') return;
  if (finishReason !== 'length') throw new RetryableError(`The ${name} gave an empty answer (${finishReason}).`, { code: 'empty-answer' });
  const why = 'used up its output tokens before it wrote a word of its answer';
  throw new NonRetryableError(`The ${name} ${why}. Raise maxOutputTokens.`, { code: 'empty-answer' });
}

/** Many providers take 31 bits. */
const seedOf = (seed: number, index: number): number => (seed + index) & 0x7fffffff;
