import type { ManifestOptions } from '../../schema/index.ts';
import { refuse } from './refuse.ts';
import type { StepOptions } from './steps.ts';

const defaults = { concurrency: 10, timeoutMs: 600_000, attempts: 3, backoffMs: 1_000, onError: 'reject' } as const;

/** A global step reads everything there is: how long that takes cannot be known. */
const globalTimeoutMs = 2_147_483_647;

const bounds = { batchSize: 1_000_000, concurrency: 10_000, timeoutMs: 2_147_483_647, attempts: 1_000, backoffMs: 86_400_000 } as const;

const known = ['batchSize', 'concurrency', 'timeoutMs', 'retry', 'onError', 'version', 'captures'];

/** Members of a step that are no options: those of every step, and of each operator. */
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

/** A step's options with defaults filled in; those given beside the step win over those within it. */
export function optionsOf(
  operator: keyof typeof members,
  within: StepOptions,
  beside: StepOptions | undefined,
  where: { readonly step: string; readonly site: string },
): ManifestOptions {
  if (beside !== undefined && (typeof beside !== 'object' || beside === null)) refuse('options are an object: { batchSize: 10 }.', where);
  refuseUnknown('', beside, known, where);
  refuseUnknown('', within, [...members[operator], ...known], where, membersOfAll);
  for (const each of [within.retry, beside?.retry]) {
    if (each !== undefined && (typeof each !== 'object' || each === null)) refuse('retry is an object: { attempts: 3 }.', where);
    refuseUnknown('retry.', each, ['attempts', 'backoffMs'], where);
  }
  const given = (key: 'batchSize' | 'concurrency' | 'timeoutMs' | 'onError') => beside?.[key] ?? within[key];
  const retry = (key: 'attempts' | 'backoffMs') => beside?.retry?.[key] ?? within.retry?.[key];
  const number = (name: keyof typeof bounds, value: unknown, min = 1): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > bounds[name]) {
      refuse(
        `${name} must be a whole number from ${min} to ${bounds[name]}, and is ${typeof value === 'number' || typeof value === 'string' ? value : `of type ${typeof value}`}.`,
        where,
      );
    }
    return value;
  };
  for (const { version } of [within, beside ?? {}])
    if (version !== undefined && typeof version !== 'string' && typeof version !== 'number')
      refuse('a version is a text or a number.', where);
  const onError = given('onError') ?? defaults.onError;
  if (onError !== 'reject' && onError !== 'fail') refuse(`onError must be 'reject' or 'fail', and is ${String(onError)}.`, where);
  const batchSize = given('batchSize');
  return {
    batchSize: batchSize === undefined ? null : number('batchSize', batchSize),
    concurrency: number('concurrency', given('concurrency') ?? defaults.concurrency),
    timeoutMs: number('timeoutMs', given('timeoutMs') ?? (operator === 'global' ? globalTimeoutMs : defaults.timeoutMs)),
    attempts: number('attempts', retry('attempts') ?? defaults.attempts),
    backoffMs: number('backoffMs', retry('backoffMs') ?? defaults.backoffMs, 0),
    onError,
  };
}

function refuseUnknown(
  within: string,
  given: object | undefined,
  there: readonly string[],
  where: { readonly step: string; readonly site: string },
  unnamed: readonly string[] = [],
): void {
  const unknown = Object.keys(given ?? {}).find((key) => !there.includes(key) && !unnamed.includes(key));
  if (unknown !== undefined) refuse(`there is no option ${within}${unknown}; there are ${there.join(', ')}.`, where);
}
