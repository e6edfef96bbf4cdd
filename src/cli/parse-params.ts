import type { z } from 'zod';
import { Fault } from '#kit/fault';
import { envName, secretNames } from '#pipeline';

/**
 * Reads `--param name=value` (several) into raw params: numbers, booleans and JSON as the schema's types ask for. Secrets, and params that are not
 * given, may come from `DISTILOG_PARAM_NAME`. Throws `Fault('invalid-params')`.
 */
export function parseParamOptions(
  schema: z.ZodObject,
  given: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(schema.shape)) {
    const text = environment[`DISTILOG_PARAM_${envName(name)}`];
    if (text !== undefined) values[name] = typed(schema, name, text);
  }
  for (const option of given) {
    const at = option.indexOf('=');
    if (at < 1)
      throw new Fault(
        'invalid-params',
        `--param ${secretNames(schema).includes(option) ? '…' : option} has no value: write --param name=value.`,
      );
    const name = option.slice(0, at);
    values[name] = typed(schema, name, option.slice(at + 1));
  }
  return values;
}

/** `step=n`, several, as a record. Throws `Fault('invalid-concurrency')`. */
export function parseConcurrency(given: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    given.map((option) => {
      const [, step = '', calls = ''] = /^(.+)=(\d+)$/.exec(option) ?? [];
      if (step === '' || Number(calls) < 1)
        throw new Fault('invalid-concurrency', `--concurrency ${option}: write --concurrency step=n, n from 1.`);
      return [step, Number(calls)];
    }),
  );
}

/** A text as the value that a param's schema wants; as it is where it cannot be read so, for the schema to refuse. */
function typed(schema: z.ZodObject, name: string, text: string): unknown {
  const member = schema.shape[name] as z.core.$ZodType | undefined;
  if (!member) return text;
  switch (kindOf(member)) {
    case 'string':
      return text;
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    default:
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
  }
}

function kindOf(schema: z.core.$ZodType): string {
  const {
    type,
    innerType,
    in: input,
  } = schema._zod.def as unknown as { readonly type: string; readonly innerType?: z.core.$ZodType; readonly in?: z.core.$ZodType };
  if (innerType) return kindOf(innerType);
  if (type === 'pipe' && input) return kindOf(input);
  if (type === 'int') return 'number';
  return type === 'enum' || type === 'literal' || type === 'template_literal' ? 'string' : type;
}
