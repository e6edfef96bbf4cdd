import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { Fault } from '../kit/fault.ts';
import type { Json, JsonObject } from '../kit/json.ts';
import { redactor, type Redact } from '../kit/redactor.ts';
import { NonRetryableError, resource, type Resource } from '../pipeline/index.ts';
import { pickCallSettings, type CallSettings } from './call-settings.ts';
import { fetchCompletion } from './fetch-completion.ts';
import type { Caps, Limiter } from './limiter.ts';
import { acquireLimiter, releaseLimiter } from './limiters.ts';

/** A language model: its recorded settings and its client. */
export interface LanguageModel {
  readonly kind: 'language-model';
  readonly id: string;
  /** The settings that are recorded. They never hold a key. */
  readonly settings: JsonObject;
  readonly callSettings: CallSettings;
  /** Whether the provider enforces a JSON Schema on answers. Otherwise the schema is written into the prompt. */
  readonly enforcesSchema: boolean;
  readonly sendsSeed: boolean;
  /** @internal */
  readonly client: Resource<Client>;
}

/** A model object of the AI SDK, of any provider and version. Its members are loosely typed, so that programs do not need the SDK's declarations. */
export interface AnySdkModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls: unknown;
  doGenerate(options: never): PromiseLike<unknown>;
  doStream(options: never): PromiseLike<unknown>;
}

/** A model as steps accept it: the result of `languageModel`, or a model object of the AI SDK. */
export type AnyModel = LanguageModel | AnySdkModel;

/** A model's client, opened once per process. */
export interface Client {
  readonly sdkModel: AnySdkModel;
  readonly limiter: Limiter;
  /** The model, for messages. */
  readonly name: string;
  /** Redacts the key in a text. */
  readonly redact: Redact;
  readonly close: () => void;
}

/** Options of `languageModel`: the address and the key of an OpenAI-compatible API, and the settings of calls. */
export interface LanguageModelOptions extends CallSettings, Caps {
  /** The address of the API. Default: the environment variable OPENAI_BASE_URL, or else OpenAI's own address. */
  readonly baseURL?: string | undefined;
  /** The environment variable that holds the key. Default OPENAI_API_KEY. Null means that the server needs no key. */
  readonly apiKeyEnv?: string | null | undefined;
  /** The provider's name, which is the key of its `providerOptions`. Default `openai`. */
  readonly name?: string | undefined;
  /** What the server can enforce: a JSON Schema (default), or JSON of any shape. */
  readonly structuredOutput?: 'json-schema' | 'json' | undefined;
  /** Whether the row's seed is sent with each call. Default true. */
  readonly sendsSeed?: boolean | undefined;
}

const openai = 'https://api.openai.com/v1';

/** Shorter keys are not secrets: local servers accept any word, such as `none`. */
const secretLengthMin = 8;

/**
 * Defines a model behind an OpenAI-compatible API: OpenAI, vLLM, Ollama and many more. The environment is read when the model is first used, not when it is
 * defined. The key is never recorded.
 */
export function languageModel(id: string, options: LanguageModelOptions = {}): LanguageModel {
  const { baseURL, apiKeyEnv = 'OPENAI_API_KEY', name = 'openai', structuredOutput = 'json-schema', sendsSeed = true } = options;
  const { requestsPerMinute, tokensPerMinute } = options;
  if (typeof id !== 'string' || id === '')
    throw invalidPipeline("a language model needs an id. Write, for example, languageModel('gpt-4o-mini').");
  refuseCap('requestsPerMinute', requestsPerMinute);
  refuseCap('tokensPerMinute', tokensPerMinute);
  if (baseURL !== undefined) refuseBaseURL('baseURL', baseURL);
  const sampling = pickCallSettings(options);
  const open = (): Client => {
    const url = baseURL ?? readBaseURL() ?? openai;
    const apiKey = apiKeyEnv === null ? undefined : readApiKey(apiKeyEnv, id);
    const provider = createOpenAICompatible({
      name,
      baseURL: url,
      apiKey,
      fetch: fetchCompletion,
      supportsStructuredOutputs: structuredOutput === 'json-schema',
    } as never);
    const key = JSON.stringify([url, id, apiKeyEnv]);
    return createClient(
      provider.languageModel(id),
      key,
      { requestsPerMinute, tokensPerMinute },
      {
        name: `model ${id} at ${redactAddress(url)}`,
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

const wrappers = new WeakMap<object, LanguageModel>();

/** Returns the language model for any form that steps accept. Throws `Fault('invalid-pipeline')` for other values. */
export function toLanguageModel(model: AnyModel): LanguageModel {
  if (isLanguageModel(model)) return model;
  if (typeof model !== 'object' || model === null || typeof (model as Partial<AnySdkModel>).doGenerate !== 'function') {
    throw invalidPipeline("model is not a language model. Use languageModel('id') or a model object of the AI SDK.");
  }
  const wrapper = wrappers.get(model);
  if (wrapper) return wrapper;
  const { modelId: id, provider } = model;
  const open = () => createClient(model, model, {}, { name: `model ${id} of ${provider}`, redact: (text) => text });
  const adapter: LanguageModel = Object.freeze({
    kind: 'language-model',
    id,
    settings: { id, provider } satisfies Record<string, Json>,
    callSettings: {},
    enforcesSchema: (model as { readonly supportsStructuredOutputs?: unknown }).supportsStructuredOutputs === true,
    sendsSeed: true,
    client: resource(`model ${id}`, open, (client) => client.close()),
  });
  wrappers.set(model, adapter);
  return adapter;
}

const isLanguageModel = (model: AnyModel): model is LanguageModel =>
  typeof model === 'object' && model !== null && 'kind' in model && model.kind === 'language-model';

function createClient(sdkModel: AnySdkModel, key: unknown, caps: Caps, identity: Pick<Client, 'name' | 'redact'>): Client {
  // Otherwise the SDK prints a provider's remarks on a setting into the display of the run.
  globalThis.AI_SDK_LOG_WARNINGS ??= false;
  return { sdkModel, limiter: acquireLimiter(key, caps), ...identity, close: () => releaseLimiter(key) };
}

function readApiKey(apiKeyEnv: string, id: string): string {
  const key = process.env[apiKeyEnv]?.trim();
  if (key && /^[!-~]+$/.test(key)) return key;
  if (key) {
    const message = `The environment variable ${apiKeyEnv}, the key of model ${id}, contains characters that a key cannot have. Copy the key again, then resume the run.`;
    throw new NonRetryableError(message, { code: 'auth' });
  }
  throw new NonRetryableError(
    `Model ${id} needs a key, and the environment variable ${apiKeyEnv} is not set. Set it, then resume the run. For a server that needs no key, use languageModel('${id}', { apiKeyEnv: null }).`,
    { code: 'auth' },
  );
}

function readBaseURL(): string | undefined {
  const url = process.env['OPENAI_BASE_URL']?.trim() || undefined;
  if (url !== undefined) refuseBaseURL('the environment variable OPENAI_BASE_URL', url);
  return url;
}

function refuseBaseURL(what: string, url: string): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw invalidPipeline(`${what} is not an address. Use one such as 'http://localhost:8000/v1'.`);
  }
  if (redactAddress(url) !== url)
    throw invalidPipeline(`${what} contains a user or a query, which would be recorded. Pass the key by apiKeyEnv.`);
}

function refuseCap(name: keyof Caps, value: number | undefined): void {
  if (value !== undefined && !(Number.isFinite(value) && value > 0))
    throw invalidPipeline(`${name} must be a number above 0, and is ${String(value)}.`);
}

/** Removes the parts of an address that may be secret. */
function redactAddress(url: string): string {
  if (!URL.canParse(url)) return 'an invalid address';
  const { username, password, search, protocol, host, pathname } = new URL(url);
  return username || password || search ? `${protocol}//${host}${pathname}` : url;
}

const invalidPipeline = (message: string): Fault => new Fault('invalid-pipeline', `${message.charAt(0).toUpperCase()}${message.slice(1)}`);
