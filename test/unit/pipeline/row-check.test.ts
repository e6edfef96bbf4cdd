import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalJson } from '../../../src/kit/json.ts';
import { rowCheck } from '../../../src/pipeline/row-check.ts';

const check = rowCheck(z.object({ n: z.number(), t: z.string().nullable() }));
const of = (columns: Record<string, z.ZodType>) => rowCheck(z.object(columns));
const circular: Record<string, unknown> = { n: 1 };
circular['t'] = circular;

describe('a returned row', () => {
  it('becomes the values of its columns, in column order', () => {
    expect(check({ t: null, n: 1.5 })).toEqual({ ok: true, values: [1.5, null], undeclared: [] });
  });

  it('loses columns that the step does not declare, and they are named', () => {
    expect(check({ n: 1, t: '', extra: 1, more: undefined })).toEqual({ ok: true, values: [1, ''], undeclared: ['extra', 'more'] });
    expect(check({ n: 1, t: '', ...JSON.parse('{"constructor":1}') })).toMatchObject({ undeclared: ['constructor'] });
    const inheriting = Object.assign(Object.create({ inherited: 1 }), { n: 1, t: '', own: 2 });
    expect(check(inheriting)).toMatchObject({ ok: true, undeclared: ['own'] });
  });

  it('does not confuse a column with the name of a missing one', () => {
    expect(of({ a: z.string().default('x'), b: z.int() })({ b: 1, c: 2 })).toEqual({ ok: true, values: ['x', 1], undeclared: ['c'] });
  });

  it('is stored as the schema’s output', () => {
    const made = of({
      length: z
        .string()
        .transform((text) => text.length)
        .pipe(z.int()),
      n: z.coerce.number(),
      t: z.string().trim(),
    });
    expect(made({ length: 'four', n: '12', t: ' x ' })).toEqual({ ok: true, values: [4, 12, 'x'], undeclared: [] });
  });

  it('loses members of nested objects that the schema does not name', () => {
    expect(of({ o: z.object({ a: z.int() }) })({ o: { a: 1, b: 2 } })).toEqual({ ok: true, values: [{ a: 1 }], undeclared: [] });
  });

  it('may hold -0, which is stored as 0', () => {
    const checked = check({ n: -0, t: '' });
    expect(checked.ok && checked.values.map(canonicalJson)).toEqual(['0', '""']);
  });

  it.each<[string, unknown, RegExp]>([
    ['a wrong type', { n: 'one', t: '' }, /^column n: .*expected number.*, got "one"$/],
    ['a column that is missing', { n: 1 }, /^column t: .*, got undefined$/],
    ['null where it may not be', { n: null, t: '' }, /^column n: .*, got null$/],
    ['undefined', undefined, /^expected object with n, t, got undefined$/],
    ['null', null, /, got null$/],
    ['text', 'row', /expected (an )?object.*, got "row"$/],
    ['a list', [1, ''], /expected (an )?object.*, got an array$/],
    ['a function', () => ({ n: 1, t: '' }), /expected (an )?object.*, got a function$/],
    ['a promise', Promise.resolve({ n: 1, t: '' }), /column n: .*, got undefined/],
    ['a Date', { n: 1, t: new Date(0) }, /^column t: .*, got a Date$/],
    ['NaN', { n: Number.NaN, t: '' }, /^column n: .*NaN/],
    ['an infinity', { n: -Infinity, t: '' }, /^column n: .*, got -Infinity$/],
    ['a BigInt', { n: 1n, t: '' }, /^column n: .*, got 1n, a bigint$/],
    ['a symbol', { n: Symbol('x'), t: '' }, /^column n: .*, got a symbol$/],
    ['something circular', circular, /^column t: .*, got an object$/],
    ['an instance of a class', { n: 1, t: new Map() }, /^column t: .*, got a Map$/],
    ['several wrong columns', { n: '', t: 1 }, /^column n: .*\(and 1 more\)$/],
    ['long text', { n: 'x'.repeat(500), t: '' }, /^column n: .{10,160}…"$/],
    [
      'what throws when it is looked at',
      {
        get n() {
          throw new Error('not today');
        },
        t: '',
      },
      /^the value could not be checked: not today$/,
    ],
    [
      'a revoked proxy',
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
      /could not be checked|expected/,
    ],
    [
      'an object whose constructor throws',
      {
        n: {
          get constructor() {
            throw new Error('no');
          },
        },
        t: '',
      },
      /column n|could not be checked/,
    ],
    ['columns of the prototype only', Object.create({}), /column n: .*, got undefined/],
  ])('that is or holds %s is refused, with the column and the value', (_what, value, says) => {
    const checked = check(value);
    expect(checked).toMatchObject({ ok: false, code: 'invalid-output' });
    expect(!checked.ok && checked.message).toMatch(says);
  });

  it('is refused with the path inside a column', () => {
    expect(of({ list: z.array(z.object({ a: z.int() })) })({ list: [{ a: 1 }, { a: 'x' }] })).toMatchObject({
      message: expect.stringMatching(/^column list\.1\.a: .*, got "x"$/) as string,
    });
  });

  it('does not change the prototype of what is stored through __proto__ keys', () => {
    const evil = JSON.parse('{"n":1,"t":"","__proto__":{"admin":true}}') as unknown;
    expect(check(evil)).toEqual({ ok: true, values: [1, ''], undeclared: ['__proto__'] });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each<[string, z.ZodType, unknown, string]>([
    ['a record', z.record(z.string(), z.json()), '{"__proto__":{"admin":true}}', 'column c'],
    ['JSON', z.json(), '[1,{"a":{"__proto__":1}}]', 'column c[1].a'],
    ['a union', z.union([z.string(), z.record(z.string(), z.int())]), '{"__proto__":1}', 'column c'],
    ['an object with a catchall', z.object({ a: z.int() }).catchall(z.json()), '{"a":1,"__proto__":1}', 'column c'],
    ['a list of objects of records', z.array(z.object({ r: z.record(z.string(), z.int()) })), '[{"r":{"__proto__":1}}]', 'column c[0].r'],
  ])('is refused with a key called __proto__ in %s, which zod would drop silently', (_what, column, text, where) => {
    const checked = of({ c: column as never })({ c: JSON.parse(text as string) as never });
    const message = `${where} has a key called __proto__, which cannot be stored: rename it`;
    expect(checked).toEqual({ ok: false, code: 'invalid-output', message });
  });

  it('is refused with a column that only the prototype has', () => {
    expect(of({ toString: z.string() })({}).ok).toBe(false);
    expect(of({ constructor: z.int() })({ constructor: 3 })).toEqual({ ok: true, values: [3], undeclared: [] });
  });

  it('is refused if its schema throws or is asynchronous', () => {
    const throwing = of({
      t: z.string().refine(() => {
        throw new Error('not today');
      }),
    });
    expect(throwing({ t: '' })).toEqual({ ok: false, code: 'invalid-output', message: 'the value could not be checked: not today' });
    expect(of({ t: z.string().refine(async () => true) })({ t: '' })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/could not be checked/) as string,
    });
  });
});

/** Schemas of every kind that a column may have. */
const columns = z.object({
  number: z.number(),
  text: z.string(),
  any: z.json(),
  list: z.array(z.json()),
  record: z.record(z.string(), z.json()),
  nested: z.object({ a: z.string().optional(), b: z.tuple([z.int(), z.string()]) }),
  union: z.discriminatedUnion('t', [z.object({ t: z.literal('a'), n: z.int() }), z.object({ t: z.literal('b') })]),
});
const one = z.object({ any: z.json() });
const values = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withTypedArray: true,
  withSparseArray: true,
  maxDepth: 4,
});

describe('any returned value', () => {
  it('is checked without an exception', () => {
    const wide = rowCheck(columns);
    fc.assert(
      fc.property(values, (value) => {
        expect(typeof wide(value).ok).toBe('boolean');
      }),
    );
  });

  it('in the columns is checked, and accepted JSON can be stored', () => {
    const wide = rowCheck(columns);
    const narrow = rowCheck(one);
    const row = fc.record(
      { number: values, text: values, any: values, list: values, record: values, nested: values, union: values },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(row, (value) => {
        expect(typeof wide(value).ok).toBe('boolean');
        const checked = narrow(value);
        if (checked.ok) expect(() => checked.values.map(canonicalJson)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('that is JSON is accepted completely', () => {
    const narrow = rowCheck(one);
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        // zod leaves a nested key of this name out, whatever the schema.
        fc.pre(!canonicalJson(any).includes('"__proto__"'));
        const checked = narrow({ any });
        expect(checked.ok && checked.values.map(canonicalJson)).toEqual([canonicalJson(any)]);
      }),
    );
  });
});
