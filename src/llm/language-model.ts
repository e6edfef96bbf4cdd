import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { Fault } from '../kit/fault.ts';
import type { Json, JsonObject } from '../kit/json.ts';
import { redactor, type Redact } from '../kit/redactor.ts';
import { NonRetryableError, resource, type Resource } from '../pipeline/index.ts';
import { callSettings, type CallSettings } from './call-settings.ts';
import type { Caps, Limiter } from './limiter.ts';
import { acquireLimiter, releaseLimiter } from './limiters.ts';

/** A language model as steps use it: what is recorded of it, and how it is reached. */
export interface LanguageModel {
  readonly kind: 'language-model';
  readonly id: string;
  /** Goes into the manifest. Never holds a key. */
  readonly settings: JsonObject;
  readonly callSettings: CallSettings;
  /** Whether the provider itself keeps answers to a JSON Schema. Elsewhere the schema is written into the prompt. */
  readonly enforcesSchema: boolean;
  readonly sendsSeed: boolean;
  /** @internal */
  readonly client: Resource<Client>;
}

/** A model object of the AI SDK, of any provider and version. Its members have loose types, so that no program needs the SDK's declarations. */
export interface AnySdkModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls: unknown;
  doGenerate(options: never): PromiseLike<unknown>;
  doStream(options: never): PromiseLike<unknown>;
}

/** What steps take as a model: one made by `languageModel`, or a model object of the AI SDK. */
export type AnyModel = LanguageModel | AnySdkModel;

/** A model's client, opened once a process. */
export interface Client {
  readonly sdkModel: AnySdkModel;
  readonly limiter: Limiter;
  /** The model, for messages. */
  readonly name: string;
  /** Takes the key out of a text. */
  readonly redact: Redact;
  readonly close: () => void;
}

/** How a model behind an OpenAI-compatible API is reached, and how it is asked. */
export interface LanguageModelOptions extends CallSettings, Caps {
  /** Default: the environment's OPENAI_BASE_URL, else OpenAI's own. */
  readonly baseURL?: string | undefined;
  /** The environment variable that holds the key. Default OPENAI_API_KEY; null: the server asks for none. */
  readonly apiKeyEnv?: string | null | undefined;
  /** The provider's name, under which `providerOptions` are given. Default `openai`. */
  readonly name?: string | undefined;
  /** What the server can be held to: a JSON Schema (default), or JSON of any shape. */
  readonly structuredOutput?: 'json-schema' | 'json' | undefined;
  /** Whether the row's seed is sent with each call. Default true. */
  readonly sendsSeed?: boolean | undefined;
}

const openai = 'https://api.openai.com/v1';

/** Shorter keys are none: local servers take any word, such as `none`. */
const secretLengthMin = 8;

/**
 * A model behind an OpenAI-compatible API: OpenAI, vLLM, Ollama and many more. The environment is read when the model is first used, not when it is defined;
 * its key is never recorded.
 */
export function languageModel(id: string, options: LanguageModelOptions = {}): LanguageModel {
  const { baseURL, apiKeyEnv = 'OPENAI_API_KEY', name = 'openai', structuredOutput = 'json-schema', sendsSeed = true } = options;
  const { requestsPerMinute, tokensPerMinute } = options;
  if (typeof id !== 'string' || id === '') throw refused("a language model needs an id: languageModel('gpt-4o-mini').");
  refuseCap('requestsPerMinute', requestsPerMinute);
  refuseCap('tokensPerMinute', tokensPerMinute);
  if (baseURL !== undefined) refuseBaseURL('baseURL', baseURL);
  const sampling = callSettings(options);
  const open = (): Client => {
    const url = baseURL ?? addressOfEnvironment() ?? openai;
    const apiKey = apiKeyEnv === null ? undefined : keyOf(apiKeyEnv, id);
    const provider = createOpenAICompatible({
      name,
      baseURL: url,
      apiKey,
      supportsStructuredOutputs: structuredOutput === 'json-schema',
    } as never);
    const key = JSON.stringify([url, id, apiKeyEnv]);
    return clientOf(
      provider.languageModel(id),
      key,
      { requestsPerMinute, tokensPerMinute },
      {
        name: `model ${id} at ${withoutPassword(url)}`,
        redact: redactor(apiKey === undefined || apiKey.length < secretLengthMin ? [] : [apiKey], '[key]'),
      },
    );
  };
  const settings = {
    id,
    baseURL: baseURL ?? { env: 'OPENAI_BASE_URL' },
    name,
    structuredOutput,
    sendsSeed,
    ...sampling,
  } as unknown as JsonObject;
  return Object.freeze({
    kind: 'language-model',
    id,
    settings,
    callSettings: sampling,
    enforcesSchema: structuredOutput === 'json-schema',
    sendsSeed,
    client: resource(`model ${id}`, open, (client) => client.close()),
  });
}

const wrapped = new WeakMap<object, LanguageModel>();

/** A model in any of the forms in which steps take one. */
export function languageModelOf(given: AnyModel): LanguageModel {
  if (isLanguageModel(given)) return given;
  if (typeof given !== 'object' || given === null || typeof (given as Partial<AnySdkModel>).doGenerate !== 'function') {
    throw refused("model is no language model: give languageModel('id'), or a model object of the AI SDK.");
  }
  const known = wrapped.get(given);
  if (known) return known;
  const { modelId: id, provider } = given;
  const open = () => clientOf(given, given, {}, { name: `model ${id} of ${provider}`, redact: (text) => text });
  const model: LanguageModel = Object.freeze({
    kind: 'language-model',
    id,
    settings: { id, provider } satisfies Record<string, Json>,
    callSettings: {},
    enforcesSchema: (given as { readonly supportsStructuredOutputs?: unknown }).supportsStructuredOutputs === true,
    sendsSeed: true,
    client: resource(`model ${id}`, open, (client) => client.close()),
  });
  wrapped.set(given, model);
  return model;
}

const isLanguageModel = (given: AnyModel): given is LanguageModel =>
  typeof given === 'object' && given !== null && 'kind' in given && given.kind === 'language-model';

function clientOf(sdkModel: AnySdkModel, key: unknown, caps: Caps, told: Pick<Client, 'name' | 'redact'>): Client {
  // A provider's remarks on a setting would be printed into whatever watches the run.
  globalThis.AI_SDK_LOG_WARNINGS ??= false;
  return { sdkModel, limiter: acquireLimiter(key, caps), ...told, close: () => releaseLimiter(key) };
}

function keyOf(apiKeyEnv: string, id: string): string {
  const key = process.env[apiKeyEnv]?.trim();
  if (key && /^[!-~]+$/.test(key)) return key;
  if (key) {
    const message = `The environment variable ${apiKeyEnv}, the key of model ${id}, holds characters that no key has. Copy the key again and resume the run.`;
    throw new NonRetryableError(message, { code: 'auth' });
  }
  throw new NonRetryableError(
    `Model ${id} needs a key, and the environment variable ${apiKeyEnv} is not set. Set it and resume the run; for a server that asks for no key, give languageModel('${id}', { apiKeyEnv: null }).`,
    { code: 'auth' },
  );
}

function addressOfEnvironment(): string | undefined {
  const url = process.env['OPENAI_BASE_URL']?.trim() || undefined;
  if (url !== undefined) refuseBaseURL('the environment variable OPENAI_BASE_URL', url);
  return url;
}

function refuseBaseURL(what: string, url: string): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw refused(`${what} is no address: give one such as 'http://localhost:8000/v1'.`);
  }
  if (withoutPassword(url) !== url) throw refused(`${what} holds a user or a query, and would be recorded: give the key by apiKeyEnv.`);
}

function refuseCap(name: keyof Caps, value: number | undefined): void {
  if (value !== undefined && !(Number.isFinite(value) && value > 0))
    throw refused(`${name} must be a number above 0, and is ${String(value)}.`);
}

/** An address without what may be a secret in it. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'an address that is none';
  const { username, password, search, protocol, host, pathname } = new URL(url);
  return username || password || search ? `${protocol}//${host}${pathname}` : url;
}

const refused = (message: string): Fault => new Fault('invalid-pipeline', `${message.charAt(0).toUpperCase()}${message.slice(1)}`);
