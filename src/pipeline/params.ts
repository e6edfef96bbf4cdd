import type { z } from 'zod';
import { isStorable } from '../../schema/index.ts';
import { Fault, messageOf } from '../kit/fault.ts';
import { canonicalJson, prototypeKeyIn, type Json, type JsonObject } from '../kit/json.ts';
import { holdsSecret, isSecret } from './secret.ts';

/** The params of a run: parsed, and split into recorded values and secrets. */
export interface ParsedParams {
  /** All parsed values, secrets included. The definition gets these. */
  readonly all: Readonly<Record<string, unknown>>;
  /** The values that are recorded: all except secrets. */
  readonly recorded: JsonObject;
  /** Values that must not be recorded: the raw value, and the parsed one if it differs. */
  readonly secrets: readonly { readonly name: string; readonly value: string }[];
}

/** Lists the names of the params that are secrets. */
export const secretNames = (schema: z.ZodObject): readonly string[] =>
  Object.entries(schema.shape)
    .filter(([, member]) => isSecret(member))
    .map(([name]) => name);

/** Parses params. Throws `Fault('invalid-params')` that names every unknown, missing or mistyped param but never shows the value of a secret. */
export function parseParams(schema: z.ZodObject, input: Readonly<Record<string, unknown>>): ParsedParams {
  const names = Object.keys(schema.shape);
  const unknown = Object.keys(input).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const available = names.length > 0 ? `It has ${names.join(', ')}.` : 'It has none.';
    throw new Fault('invalid-params', `The pipeline has no param ${unknown.join(', ')}. ${available}`);
  }
  const secret = new Set(secretNames(schema));
  const withSecret = names.find((name) => !secret.has(name) && holdsSecret(schema.shape[name] as z.core.$ZodType));
  if (withSecret !== undefined)
    throw new Fault('invalid-params', `Param ${withSecret} contains a secret. Make the secret a param of its own: { name: secret() }.`);
  // No prototype, because a param may be called `constructor`.
  const values = Object.assign(Object.create(null) as object, input) as Readonly<Record<string, unknown>>;
  const withPrototypeKey = names.find((name) => prototypeKeyIn(values[name]) !== null);
  if (withPrototypeKey !== undefined)
    throw new Fault('invalid-params', `Param ${withPrototypeKey} has a key called __proto__, which cannot be stored. Rename the key.`);
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => describeIssue(issue, values, secret));
    throw new Fault('invalid-params', [...new Set(wrong)].join('\n'));
  }
  const all = parsed.data as Readonly<Record<string, unknown>>;
  const kept = names.filter((name) => !secret.has(name) && Object.hasOwn(all, name) && all[name] !== undefined);
  const recorded = Object.fromEntries(kept.map((name) => [name, toJson(name, all[name])]));
  const unstorable = kept.find((name) => !isStorable(recorded[name]));
  if (unstorable !== undefined)
    throw new Fault(
      'invalid-params',
      `Param ${unstorable} has a NUL or half of a surrogate pair in a text, which a log cannot store. Remove the character.`,
    );
  refuseUnstable(schema, values, recorded);
  const secrets = [...secret].flatMap((name) =>
    [...new Set([all[name], values[name]])].flatMap((value) => (typeof value === 'string' ? [{ name, value }] : [])),
  );
  const data = Object.fromEntries(kept.map((name) => [name, all[name]]));
  return { all: Object.freeze({ ...all, ...deepFreeze(structuredClone(data)) }), recorded, secrets };
}

/** Refuses params that change when they are parsed again. A resume parses the recorded values, so they must come out as they went in. */
function refuseUnstable(schema: z.ZodObject, input: Readonly<Record<string, unknown>>, recorded: JsonObject): void {
  const reparsed = schema.safeParse(Object.assign(Object.create(null) as object, input, recorded));
  const after = (reparsed.data ?? {}) as Readonly<Record<string, unknown>>;
  const changed = Object.keys(recorded).find((name) => !reparsed.success || toText(after[name]) !== toText(recorded[name]));
  if (changed === undefined) return;
  const name = reparsed.success ? changed : String(reparsed.error.issues[0]?.path[0] ?? changed);
  throw new Fault(
    'invalid-params',
    `Param ${name} is changed by its schema in a way that cannot be parsed again, as a resume does. Transform it in the definition instead.`,
  );
}

const toText = (value: unknown): string | undefined => (value === undefined ? undefined : canonicalJson(value));

/** Freezes a value at every depth. The definition runs twice, and the first run must not change the input of the second. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}

function toJson(name: string, value: unknown): Json {
  try {
    return JSON.parse(canonicalJson(value)) as Json;
  } catch (error) {
    throw new Fault(
      'invalid-params',
      `Param ${name} cannot be recorded: ${messageOf(error)}. Make its schema return JSON, and build other values in the definition.`,
    );
  }
}

function describeIssue(issue: z.core.$ZodIssue, input: Readonly<Record<string, unknown>>, secret: ReadonlySet<string>): string {
  const [name, ...path] = issue.path.map(String);
  if (name === undefined) return `Params: ${issue.message}.`;
  if (secret.has(name))
    return `Secret ${name} is ${input[name] === undefined ? 'not set' : 'not valid'}: set DISTILOG_PARAM_${envName(name)}, or give --param ${name}=….`;
  if (input[name] === undefined) return `Param ${name} is missing: give --param ${name}=….`;
  return `Param ${[name, ...path].join('.')}: ${issue.message}, got ${preview(input[name])}.`;
}

const shownMax = 80;

/** Returns the start of a value's text, for messages: JSON if it is JSON. */
function preview(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? `a ${typeof value}`;
  } catch {
    text = typeof value === 'bigint' ? `${value}n` : Object.prototype.toString.call(value);
  }
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}

/** Returns the name of a param in the environment, without the prefix `DISTILOG_PARAM_`: `API_KEY` for `apiKey`. */
export const envName = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
