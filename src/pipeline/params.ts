import type { z } from 'zod';
import { isStorable } from '../../schema/index.ts';
import { Fault, messageOf } from '../kit/fault.ts';
import { canonicalJson, prototypeKeyIn, type Json, type JsonObject } from '../kit/json.ts';
import { holdsSecret, isSecret } from './secret.ts';

export interface ParsedParams {
  /** What the definition gets: parsed, secrets included. */
  readonly all: Readonly<Record<string, unknown>>;
  /** What is recorded: without secrets. */
  readonly recorded: JsonObject;
  /** Values that must not be recorded: as given, and as parsed where that differs. */
  readonly secrets: readonly { readonly name: string; readonly value: string }[];
}

/** Names of the params that are secrets. */
export const secretNames = (schema: z.ZodObject): readonly string[] =>
  Object.entries(schema.shape)
    .filter(([, member]) => isSecret(member))
    .map(([name]) => name);

/** Parses params. Throws `Fault('invalid-params')`, which names each that is unknown, missing or of the wrong type, and never a value of a secret. */
export function parseParams(schema: z.ZodObject, given: Readonly<Record<string, unknown>>): ParsedParams {
  const names = Object.keys(schema.shape);
  const unknown = Object.keys(given).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    const there = names.length > 0 ? `It has ${names.join(', ')}.` : 'It has none.';
    throw new Fault('invalid-params', `The pipeline has no param ${unknown.join(', ')}. ${there}`);
  }
  const secret = new Set(secretNames(schema));
  const hiding = names.find((name) => !secret.has(name) && holdsSecret(schema.shape[name] as z.core.$ZodType));
  if (hiding !== undefined)
    throw new Fault('invalid-params', `Param ${hiding} holds a secret within: make it a param of its own, { name: secret() }.`);
  // Without a prototype: a param may be called constructor.
  const own = Object.assign(Object.create(null) as object, given) as Readonly<Record<string, unknown>>;
  const lost = names.find((name) => prototypeKeyIn(own[name]) !== null);
  if (lost !== undefined) throw new Fault('invalid-params', `Param ${lost} has a key called __proto__, which cannot be kept: rename it.`);
  const parsed = schema.safeParse(own);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => problem(issue, own, secret));
    throw new Fault('invalid-params', [...new Set(wrong)].join('\n'));
  }
  const all = parsed.data as Readonly<Record<string, unknown>>;
  const kept = names.filter((name) => !secret.has(name) && Object.hasOwn(all, name) && all[name] !== undefined);
  const recorded = Object.fromEntries(kept.map((name) => [name, asJson(name, all[name])]));
  const unstorable = kept.find((name) => !isStorable(recorded[name]));
  if (unstorable !== undefined)
    throw new Fault(
      'invalid-params',
      `Param ${unstorable} has a NUL, or half of a surrogate pair, in a text: no log can hold that. Leave it out.`,
    );
  refuseUnstable(schema, own, recorded);
  const secrets = [...secret].flatMap((name) =>
    [...new Set([all[name], own[name]])].flatMap((value) => (typeof value === 'string' ? [{ name, value }] : [])),
  );
  const data = Object.fromEntries(kept.map((name) => [name, all[name]]));
  return { all: Object.freeze({ ...all, ...frozen(structuredClone(data)) }), recorded, secrets };
}

/** A resume parses what was recorded, so that has to come out as it went in. */
function refuseUnstable(schema: z.ZodObject, given: Readonly<Record<string, unknown>>, recorded: JsonObject): void {
  const again = schema.safeParse(Object.assign(Object.create(null) as object, given, recorded));
  const after = (again.data ?? {}) as Readonly<Record<string, unknown>>;
  const changed = Object.keys(recorded).find((name) => !again.success || textOf(after[name]) !== textOf(recorded[name]));
  if (changed === undefined) return;
  const name = again.success ? changed : String(again.error.issues[0]?.path[0] ?? changed);
  throw new Fault(
    'invalid-params',
    `Param ${name} comes out of its schema as what the schema does not take in again, and a resume gives it that. Transform it in the definition instead.`,
  );
}

const textOf = (value: unknown): string | undefined => (value === undefined ? undefined : canonicalJson(value));

/** The definition runs twice: the first run must not change what the second one gets. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

function asJson(name: string, value: unknown): Json {
  try {
    return JSON.parse(canonicalJson(value)) as Json;
  } catch (error) {
    throw new Fault(
      'invalid-params',
      `Param ${name} cannot be recorded: ${messageOf(error)}. Give its schema as JSON, and make the rest of it in the definition.`,
    );
  }
}

function problem(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>, secret: ReadonlySet<string>): string {
  const [name, ...within] = issue.path.map(String);
  if (name === undefined) return `Params: ${issue.message}.`;
  if (secret.has(name))
    return `Secret ${name} is ${given[name] === undefined ? 'not set' : 'not valid'}: set DISTILOG_PARAM_${envName(name)}, or give --param ${name}=….`;
  if (given[name] === undefined) return `Param ${name} is missing: give --param ${name}=….`;
  return `Param ${[name, ...within].join('.')}: ${issue.message}, got ${shown(given[name])}.`;
}

const shownMax = 80;

/** A given value, cut to size: JSON where it is. */
function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? `a ${typeof value}`;
  } catch {
    text = typeof value === 'bigint' ? `${value}n` : Object.prototype.toString.call(value);
  }
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}

/** `apiKey` as `API_KEY`: the name of a param in the environment, behind `DISTILOG_PARAM_`. */
export const envName = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
