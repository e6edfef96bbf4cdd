import type { JsonObject } from '../kit/json.ts';

/** How an answer is sampled. A step's settings win over its model's. */
export interface CallSettings {
  readonly temperature?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  /** Passed to the provider as they are, by its name: `{ openai: { reasoningEffort: 'low' } }`. */
  readonly providerOptions?: Readonly<Record<string, JsonObject>> | undefined;
}

const names = [
  'temperature',
  'maxOutputTokens',
  'topP',
  'topK',
  'presencePenalty',
  'frequencyPenalty',
  'stopSequences',
  'providerOptions',
] as const satisfies readonly (keyof CallSettings)[];

/** The settings among a step's options, those given only. */
export function callSettings(given: CallSettings): CallSettings {
  return Object.fromEntries(names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]));
}
