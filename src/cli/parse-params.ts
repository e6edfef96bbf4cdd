import type { z } from 'zod';
import { resolveStepName } from '../distiset/index.ts';
import type { ManifestStep } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import { envName, secretNames } from '../pipeline/index.ts';
import { kindsOf } from './param-kinds.ts';

/**
 * Parses `--param name=value` options into raw params: into numbers, booleans and JSON where the schema has these types. Reads secrets, and params
 * without an option, from `DISTILOG_PARAM_NAME`. Throws `Fault('invalid-params')`.
 */
export function parseParamOptions(
  schema: z.ZodObject,
  given: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  const names = Object.keys(schema.shape);
  const values = new Map<string, unknown>();
  for (const name of names) {
    const text = environment[`DISTILOG_PARAM_${envName(name)}`];
    if (text !== undefined) values.set(name, parseValue(schema, name, text));
  }
  for (const option of given) {
    const at = option.indexOf('=');
    if (at < 1) {
      // The text may be a secret that was given without a name.
      const shownOption = names.includes(option) || secretNames(schema).length === 0 ? option : '…';
      throw new Fault('invalid-params', `--param ${shownOption} has no value. Write --param name=value.`);
    }
    const name = option.slice(0, at);
    values.set(name, names.includes(name) ? parseValue(schema, name, option.slice(at + 1)) : option.slice(at + 1));
  }
  return Object.fromEntries(values);
}

/** Parses `step=n` options into a record. Throws `Fault('invalid-concurrency')`. */
export function parseConcurrency(given: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    given.map((option) => {
      const [, step = '', calls = ''] = /^(.+)=(\d+)$/.exec(option) ?? [];
      if (step === '' || Number(calls) < 1)
        throw new Fault(
          'invalid-concurrency',
          `--concurrency ${option} does not name a step and a number from 1. Write --concurrency step=n.`,
        );
      return [step, Number(calls)];
    }),
  );
}

/** Parses the same options, and replaces the name of a config by the step that it shows. */
export const parseStepConcurrency = (given: readonly string[], steps: readonly ManifestStep[]): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(parseConcurrency(given)).map(([name, calls]) => [resolveStepName(steps, name), calls]));

/** Parses a text as the kind of value that a param's schema accepts. Returns the text itself if parsing fails, so that the schema refuses it. */
function parseValue(schema: z.ZodObject, name: string, text: string): unknown {
  const member = schema.shape[name] as z.core.$ZodType;
  if (secretNames(schema).includes(name)) return text;
  const kinds = kindsOf(member);
  if (kinds.has('object') && !kinds.has('string')) return parseJson(name, text);
  if (kinds.has('number') && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (kinds.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (kinds.has('null') && !kinds.has('string') && text === 'null') return null;
  if (!kinds.has('object')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Fault('invalid-params', `Param ${name} is a list or an object. Give it as JSON: --param '${name}=["a","b"]'.`);
  }
}
