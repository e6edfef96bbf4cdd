import type { ManifestOptions } from '../../schema/index.ts';
import { refuse } from './refuse.ts';
import type { StepOptions } from './steps.ts';

const defaults = { concurrency: 10, timeoutMs: 600_000, attempts: 3, backoffMs: 1_000, onError: 'reject' } as const;

/** A global step reads all rows, and how long that takes cannot be known. */
const globalTimeoutMs = 2_147_483_647;

const bounds = { batchSize: 1_000_000, concurrency: 10_000, timeoutMs: 2_147_483_647, attempts: 1_000, backoffMs: 86_400_000 } as const;

const known = ['batchSize', 'concurrency', 'timeoutMs', 'retry', 'onError', 'version', 'captures'];

/** Members of a step that are not options, by operator. */
const members = {
  source: ['output', 'rows', 'read', 'count', 'origin', 'key'],
  map: ['output', 'run'],
  mapBatch: ['output', 'run'],
  flatMap: ['output', 'run'],
  replace: ['output', 'run'],
  batch: ['output', 'run'],
  global: ['output', 'run'],
  filter: ['keep'],
  route: ['branches', 'to'],
  nonNull: [],
  select: [],
  drop: [],
  rename: [],
  join: [],
  union: [],
} as const;
const membersOfAll = ['kind', 'id', 'settings', 'input', 'reads', 'code'];

/** Resolves a step's options: `overrides` take precedence over the step's own, and defaults fill the rest. */
export function resolveOptions(
  operator: keyof typeof members,
  step: StepOptions,
  overrides: StepOptions | undefined,
  location: { readonly step: string; readonly site: string },
): ManifestOptions {
  if (overrides !== undefined && (typeof overrides !== 'object' || overrides === null))
    refuse('options are an object: { batchSize: 10 }.', location);
  refuseUnknown('', overrides, known, location);
  refuseUnknown('', step, [...members[operator], ...known], location, membersOfAll);
  for (const retry of [step.retry, overrides?.retry]) {
    if (retry !== undefined && (typeof retry !== 'object' || retry === null)) refuse('retry is an object: { attempts: 3 }.', location);
    refuseUnknown('retry.', retry, ['attempts', 'backoffMs'], location);
  }
  const choose = (key: 'batchSize' | 'concurrency' | 'timeoutMs' | 'onError') => overrides?.[key] ?? step[key];
  const chooseRetry = (key: 'attempts' | 'backoffMs') => overrides?.retry?.[key] ?? step.retry?.[key];
  const number = (name: keyof typeof bounds, value: unknown, min = 1): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > bounds[name]) {
      refuse(
        `${name} must be a whole number from ${min} to ${bounds[name]}, and is ${typeof value === 'number' || typeof value === 'string' ? value : `of type ${typeof value}`}.`,
        location,
      );
    }
    return value;
  };
  for (const { version } of [step, overrides ?? {}])
    if (version !== undefined && typeof version !== 'string' && typeof version !== 'number')
      refuse('a version is a text or a number.', location);
  const onError = choose('onError') ?? defaults.onError;
  if (onError !== 'reject' && onError !== 'fail') refuse(`onError must be 'reject' or 'fail', and is ${String(onError)}.`, location);
  const batchSize = choose('batchSize');
  return {
    batchSize: batchSize === undefined ? null : number('batchSize', batchSize),
    concurrency: number('concurrency', choose('concurrency') ?? defaults.concurrency),
    timeoutMs: number('timeoutMs', choose('timeoutMs') ?? (operator === 'global' ? globalTimeoutMs : defaults.timeoutMs)),
    attempts: number('attempts', chooseRetry('attempts') ?? defaults.attempts),
    backoffMs: number('backoffMs', chooseRetry('backoffMs') ?? defaults.backoffMs, 0),
    onError,
  };
}

function refuseUnknown(
  prefix: string,
  options: object | undefined,
  known: readonly string[],
  location: { readonly step: string; readonly site: string },
  unlisted: readonly string[] = [],
): void {
  const unknown = Object.keys(options ?? {}).find((key) => !known.includes(key) && !unlisted.includes(key));
  if (unknown !== undefined) refuse(`there is no option ${prefix}${unknown}. The options are ${known.join(', ')}.`, location);
}
