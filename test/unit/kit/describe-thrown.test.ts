import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeThrown, memberOf } from '../../../src/kit/describe-thrown.ts';
import { codeOf, hasCode, messageOf } from '../../../src/kit/fault.ts';
import { oddValue, oddValues } from '../odd-values.ts';

const isDescribed = (thrown: unknown): void => {
  const { name, message, code, stack } = describeThrown(thrown);
  expect([typeof name, typeof message, typeof stack]).toEqual(['string', 'string', 'string']);
  expect([name, message]).not.toContain('');
  expect(code === undefined || typeof code === 'string').toBe(true);
  expect(messageOf(thrown)).toBe(message);
  expect(codeOf(thrown)).toBe(code);
  expect(hasCode(thrown, 'no-such-code')).toBe(false);
};

describe('the description of a thrown value', () => {
  it.each(Object.entries(oddValues))('describes %s', (_name, make) => isDescribed(make()));

  it('describes any value that can be thrown', () => {
    fc.assert(
      fc.property(oddValue, (make) => isDescribed(make())),
      { seed: 14, numRuns: 2_000 },
    );
  });

  it('has the name, message, code and stack of an error', () => {
    const error = Object.assign(new TypeError('no such thing'), { code: 'ENOENT' });
    expect(describeThrown(error)).toEqual({
      isError: true,
      name: 'TypeError',
      message: 'no such thing',
      code: 'ENOENT',
      stack: error.stack,
    });
    expect(describeThrown('a text')).toMatchObject({ isError: false, name: 'string', message: 'a text' });
    expect(describeThrown({ code: 'x', why: 1 })).toMatchObject({ name: 'object', message: '{"code":"x","why":1}', code: 'x' });
    expect(describeThrown(new Error('', {})).message).toBe('Error');
    expect(describeThrown(10n).message).toBe('10');
  });

  it('recognizes an error of another realm', () => {
    const foreign: unknown = runInContext('new RangeError("from afar")', createContext({}));
    expect(describeThrown(foreign)).toMatchObject({ isError: true, name: 'RangeError', message: 'from afar' });
  });

  it('reads a member of any value, or returns undefined', () => {
    fc.assert(
      fc.property(oddValue, fc.string(), (make, key) => void memberOf(make(), key)),
      { seed: 14 },
    );
    expect([memberOf(null, 'a'), memberOf({ a: 1 }, 'a'), memberOf('text', 'length')]).toEqual([undefined, 1, undefined]);
  });
});
