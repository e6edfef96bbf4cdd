import type { JsonObject } from '../kit/json.ts';

/** Sampling settings of a call. A step's settings take precedence over its model's. */
export interface CallSettings {
  readonly temperature?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  /** Options passed to the provider unchanged, under its name: `{ openai: { reasoningEffort: 'low' } }`. */
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

/** Picks the sampling settings that are set in a step's options. */
export function pickCallSettings(options: CallSettings): CallSettings {
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}
