import type { z } from 'zod';
import { Fault } from '#kit/fault';
import { canonicalJson, type JsonObject } from '#kit/json';
import { isSecret } from './secret.ts';

export interface ParsedParams {
  /** What the definition gets: parsed, secrets included. */
  readonly all: Readonly<Record<string, unknown>>;
  /** What is recorded: without secrets. */
  readonly recorded: JsonObject;
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
  const parsed = schema.safeParse(given);
  const secret = new Set(secretNames(schema));
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => problem(String(issue.path[0] ?? ''), issue, given, secret));
    throw new Fault('invalid-params', [...new Set(wrong)].join('\n'));
  }
  const all = parsed.data as Readonly<Record<string, unknown>>;
  const entries = Object.entries(all).filter(([name, value]) => !secret.has(name) && value !== undefined);
  try {
    const recorded = JSON.parse(canonicalJson(Object.fromEntries(entries))) as JsonObject;
    const secrets = [...secret].flatMap((name) => (typeof all[name] === 'string' ? [{ name, value: all[name] }] : []));
    return { all, recorded, secrets };
  } catch {
    throw new Fault('invalid-params', 'Params are recorded, so they must be JSON: no dates, no functions.');
  }
}

function problem(name: string, issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>, secret: ReadonlySet<string>): string {
  if (secret.has(name))
    return `Secret ${name} is ${given[name] === undefined ? 'not set' : 'not valid'}: set DISTILOG_PARAM_${envName(name)}, or give --param ${name}=….`;
  if (given[name] === undefined) return `Param ${name} is missing: give --param ${name}=….`;
  return `Param ${name}${issue.path.length > 1 ? `.${issue.path.slice(1).map(String).join('.')}` : ''}: ${issue.message}, got ${JSON.stringify(given[name])}.`;
}

/** `apiKey` as `API_KEY`: the name of a param in the environment, behind `DISTILOG_PARAM_`. */
export const envName = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
