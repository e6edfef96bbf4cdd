import type { ManifestOptions } from '#schema';
import { refuse } from './refuse.ts';
import type { StepOptions } from './steps.ts';

const defaults = { concurrency: 10, timeoutMs: 600_000, attempts: 3, backoffMs: 1_000, onError: 'reject' } as const;

const bounds = { batchSize: 1_000_000, concurrency: 10_000, timeoutMs: 2_147_483_647, attempts: 1_000, backoffMs: 86_400_000 } as const;

const known = new Set(['batchSize', 'concurrency', 'timeoutMs', 'retry', 'onError', 'version', 'captures']);

/** A step's options with defaults filled in; those given beside the step win over those within it. */
export function optionsOf(
  within: StepOptions,
  beside: StepOptions | undefined,
  where: { readonly step: string; readonly site: string },
): ManifestOptions {
  const unknown = Object.keys(beside ?? {}).find((key) => !known.has(key));
  if (unknown !== undefined) refuse(`there is no option ${unknown}; there are ${[...known].join(', ')}.`, where);
  const given = (key: 'batchSize' | 'concurrency' | 'timeoutMs' | 'onError') => beside?.[key] ?? within[key];
  const retry = { ...within.retry, ...beside?.retry };
  const number = (name: keyof typeof bounds, value: unknown, min = 1): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > bounds[name]) {
      refuse(`${name} must be a whole number from ${min} to ${bounds[name]}, and is ${String(value)}.`, where);
    }
    return value;
  };
  const onError = given('onError') ?? defaults.onError;
  if (onError !== 'reject' && onError !== 'fail') refuse(`onError must be 'reject' or 'fail', and is ${String(onError)}.`, where);
  const batchSize = given('batchSize');
  return {
    batchSize: batchSize === undefined ? null : number('batchSize', batchSize),
    concurrency: number('concurrency', given('concurrency') ?? defaults.concurrency),
    timeoutMs: number('timeoutMs', given('timeoutMs') ?? defaults.timeoutMs),
    attempts: number('attempts', retry.attempts ?? defaults.attempts),
    backoffMs: number('backoffMs', retry.backoffMs ?? defaults.backoffMs, 0),
    onError,
  };
}
