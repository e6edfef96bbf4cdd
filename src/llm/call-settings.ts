import { Fault } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';

/** Settings of a call. A step's settings take precedence over its model's. */
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
  /** Whether a row is rejected (`truncated`) if its answer was cut off at `maxOutputTokens`. Default `reject`; runs that 0.1.0 started keep such answers. */
  readonly onTruncated?: 'reject' | 'keep' | undefined;
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
  'onTruncated',
] as const satisfies readonly (keyof CallSettings)[];

/** Picks the settings of calls that are set in a step's options. Throws `Fault('invalid-pipeline')` for an unknown value of `onTruncated`. */
export function pickCallSettings(options: CallSettings): CallSettings {
  const { onTruncated = 'reject' } = options;
  if (onTruncated !== 'reject' && onTruncated !== 'keep')
    throw new Fault('invalid-pipeline', `onTruncated must be 'reject' or 'keep', and is ${JSON.stringify(onTruncated)}.`);
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}
