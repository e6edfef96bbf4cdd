import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { envName, parseParams, secretNames, secret } from '../../../src/pipeline/index.ts';
import { faultOf } from './faults.ts';

const schema = z.object({ limit: z.int().min(1).default(3), topic: z.string(), tags: z.array(z.string()).optional(), apiKey: secret() });
const good = { topic: 'words', apiKey: 'sk-1234' };
const refusal = (given: Readonly<Record<string, unknown>>, of: z.ZodObject = schema) =>
  faultOf('invalid-params', () => parseParams(of, given)).message;

describe('params', () => {
  it('are parsed, with defaults, and recorded without secrets', () => {
    expect(parseParams(schema, good)).toEqual({
      all: { limit: 3, topic: 'words', apiKey: 'sk-1234' },
      recorded: { limit: 3, topic: 'words' },
      secrets: [{ name: 'apiKey', value: 'sk-1234' }],
    });
  });

  it('that are unknown are named, with the known ones', () => {
    expect(refusal({ ...good, topics: 1, limt: 2 })).toBe('The pipeline has no param topics, limt. It has limit, topic, tags, apiKey.');
    expect(refusal({ limit: 1 }, z.object({}))).toBe('The pipeline has no param limit. It has none.');
    expect(refusal(JSON.parse('{"__proto__":1}') as never, z.object({}))).toBe('The pipeline has no param __proto__. It has none.');
    const schema = z.object({ limits: z.record(z.string(), z.int()) });
    expect(refusal(JSON.parse('{"limits":{"__proto__":1}}') as never, schema)).toBe(
      'Param limits has a key called __proto__, which cannot be stored. Rename the key.',
    );
  });

  it('that are missing are named, each on its line', () => {
    expect(refusal({})).toBe(
      'Param topic is missing: give --param topic=….\nSecret apiKey is not set: set DISTILOG_PARAM_API_KEY, or give --param apiKey=….',
    );
  });

  it('of a wrong type are named with their value', () => {
    expect(refusal({ ...good, limit: 'many' })).toMatch(/^Param limit: .*expected number.*, got "many"\.$/i);
    expect(refusal({ ...good, limit: 0 })).toMatch(/^Param limit: .*>=1, got 0\.$/);
    expect(refusal({ ...good, tags: ['a', 1] })).toMatch(/^Param tags\.1: .*expected string.*, got \["a",1\]\.$/);
  });

  it('of a wrong type that JSON cannot show are refused all the same', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(refusal({ ...good, topic: 1n })).toMatch(/^Param topic: .*, got 1/);
    expect(refusal({ ...good, topic: circular })).toMatch(/^Param topic: /);
    expect(refusal({ ...good, topic: () => 1 })).toMatch(/^Param topic: /);
    expect(refusal({ ...good, limit: 'x'.repeat(10_000) }).length).toBeLessThan(300);
  });

  it('that are not JSON are refused by name, because they are recorded', () => {
    const dated = z.object({ since: z.coerce.date(), limit: z.int().default(1) });
    expect(refusal({ since: '2026-01-01' }, dated)).toMatch(/^Param since cannot be recorded: a Date is not JSON\./);
  });

  it('that contradict each other are refused in the schema’s words', () => {
    const both = z.object({ from: z.int(), to: z.int() }).refine(({ from, to }) => from < to, 'from must be below to');
    expect(refusal({ from: 2, to: 1 }, both)).toBe('Params: from must be below to.');
  });

  it('may have names like members of every object', () => {
    expect(refusal({}, z.object({ constructor: z.int() }))).toBe('Param constructor is missing: give --param constructor=….');
    expect(parseParams(z.object({ constructor: z.int() }), { constructor: 1 as never }).recorded).toEqual({ constructor: 1 });
  });
});

describe('a secret', () => {
  it('that is missing is reported with both ways to set it', () => {
    expect(refusal({ topic: 'x' })).toBe('Secret apiKey is not set: set DISTILOG_PARAM_API_KEY, or give --param apiKey=….');
  });

  it('that is not valid is not shown', () => {
    for (const apiKey of ['short', 7, { sk: 'short' }]) {
      const message = refusal({ apiKey }, z.object({ apiKey: secret().min(10) }));
      expect(message).toBe('Secret apiKey is not valid: set DISTILOG_PARAM_API_KEY, or give --param apiKey=….');
    }
  });

  it.each<[string, z.ZodType]>([
    ['as it is', secret()],
    ['of a least length', secret().min(3)],
    ['trimmed', secret().trim()],
    ['with a pattern', secret().regex(/^sk-/)],
    ['refined', secret().refine((text) => text.length > 2)],
    ['described', secret().describe('the key')],
    ['with meta data', secret().meta({ title: 'the key' })],
    ['branded', secret().brand('key')],
    ['optional', secret().optional()],
    ['nullable', secret().nullable()],
    ['with a default', secret().default('sk-1234')],
    ['prefaulted', secret().prefault('sk-1234')],
    ['read-only', secret().readonly()],
    ['transformed', secret().transform((text) => `${text}!`)],
    ['piped', secret().pipe(z.string().min(2))],
    ['preprocessed', z.preprocess((text) => text, secret())],
    ['or nothing', z.union([secret(), z.literal('')])],
  ])('stays one %s', (_how, key) => {
    const of = z.object({ key });
    expect(secretNames(of)).toEqual(['key']);
    const { recorded, secrets } = parseParams(of, { key: 'sk-1234' });
    expect(recorded).toEqual({});
    expect(new Set(secrets.map(({ name }) => name))).toEqual(new Set(['key']));
  });

  it('that is given and then changed by its schema is hidden in both forms', () => {
    const { secrets } = parseParams(z.object({ key: secret().transform((text) => text.toUpperCase()) }), { key: 'sk-1234' });
    expect(secrets.map(({ value }) => value)).toEqual(['SK-1234', 'sk-1234']);
  });

  it('inside another param is refused: that param would be recorded', () => {
    expect(refusal({ service: { key: 'sk-1234' } }, z.object({ service: z.object({ key: secret() }) }))).toBe(
      'Param service contains a secret. Make the secret a param of its own: { name: secret() }.',
    );
    expect(refusal({ keys: ['sk-1234'] }, z.object({ keys: z.array(secret()) }))).toMatch(/^Param keys contains a secret/);
  });
});

describe('the name of a param in the environment', () => {
  it.each([
    ['limit', 'LIMIT'],
    ['apiKey', 'API_KEY'],
    ['openAI-key', 'OPEN_AI_KEY'],
    ['model2Name', 'MODEL2_NAME'],
  ])('of %s is %s', (name, there) => {
    expect(envName(name)).toBe(there);
  });
});
