import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseParams, secret } from '../../../src/pipeline/index.ts';
import { parseConcurrency, parseParamOptions } from '../../../src/cli/parse-params.ts';
import { faultOf } from '../pipeline/faults.ts';

const schema = z.object({
  limit: z.int().optional(),
  share: z.number().default(0.5),
  isDry: z.boolean().optional(),
  topic: z.string().nullable(),
  label: z.enum(['a', '1']),
  tags: z.array(z.string()),
  any: z.json(),
  apiKey: secret(),
});
const read = (given: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  parseParamOptions(schema, given, environment);

describe('--param', () => {
  it.each<[string, unknown]>([
    ['limit=3', { limit: 3 }],
    ['limit=-1e3', { limit: -1000 }],
    ['limit=many', { limit: 'many' }],
    ['limit=', { limit: '' }],
    ['limit=Infinity', { limit: 'Infinity' }],
    ['share=0.25', { share: 0.25 }],
    ['isDry=true', { isDry: true }],
    ['isDry=false', { isDry: false }],
    ['isDry=yes', { isDry: 'yes' }],
    ['topic=12', { topic: '12' }],
    ['topic=a=b', { topic: 'a=b' }],
    ['topic=', { topic: '' }],
    ['label=1', { label: '1' }],
    ['tags=["a","b"]', { tags: ['a', 'b'] }],
    ['any={"a":[1]}', { any: { a: [1] } }],
    ['unknown=1', { unknown: '1' }],
  ])('%s is read as the schema asks', (option, values) => {
    expect(read([option])).toEqual(values);
  });

  it('for a list or an object that is not JSON is refused with the correct form', () => {
    expect(faultOf('invalid-params', () => read(['tags=a,b'])).message).toBe(
      `Param tags is a list or an object. Give it as JSON: --param 'tags=["a","b"]'.`,
    );
  });

  it('given twice takes the last value, and overrides the environment', () => {
    expect(read(['limit=1', 'limit=2'], { DISTILOG_PARAM_LIMIT: '3' })).toEqual({ limit: 2 });
  });

  it('not given is read from the environment', () => {
    expect(read([], { DISTILOG_PARAM_LIMIT: '3', DISTILOG_PARAM_API_KEY: 'sk', DISTILOG_PARAM_OTHER: 'x', LIMIT: '4' })).toEqual({
      limit: 3,
      apiKey: 'sk',
    });
  });

  it('without a value is refused, and a possible secret is not printed', () => {
    const says = (option: string, of: z.ZodObject = schema) => faultOf('invalid-params', () => parseParamOptions(of, [option], {})).message;
    expect(says('limit')).toBe('--param limit has no value. Write --param name=value.');
    expect(says('apiKey')).toBe('--param apiKey has no value. Write --param name=value.');
    expect(says('sk-12345')).toBe('--param … has no value. Write --param name=value.');
    expect(says('apiKey:sk-12345')).not.toContain('sk-12345');
    expect(says('=sk-12345')).not.toContain('sk-12345');
    expect(says('limit:5', z.object({ limit: z.int() }))).toBe('--param limit:5 has no value. Write --param name=value.');
  });

  it('with the name of a member of all objects is an unknown param', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      const given = read([`${name}=1`]);
      expect(Object.keys(given)).toEqual([name]);
      expect(faultOf('invalid-params', () => parseParams(schema, given)).message).toMatch(
        new RegExp(`^The pipeline has no param ${name}\\.`),
      );
    }
  });
});

describe('--concurrency', () => {
  it('is parsed into a record of steps', () => {
    expect(parseConcurrency(['a=1', 'b-c=20', 'a=3'])).toEqual({ a: 3, 'b-c': 20 });
  });

  it.each(['a', 'a=', '=3', 'a=0', 'a=-1', 'a=1.5', 'a=fast', ''])('%j is refused with the correct form', (option) => {
    expect(faultOf('invalid-concurrency', () => parseConcurrency([option])).message).toBe(
      `--concurrency ${option} does not name a step and a number from 1. Write --concurrency step=n.`,
    );
  });
});
