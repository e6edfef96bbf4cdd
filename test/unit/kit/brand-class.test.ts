import { describe, expect, it } from 'vitest';
import { assert, isAssertionError } from '../../../src/kit/assert.ts';
import { codeOf, Fault, isFault } from '../../../src/kit/fault.ts';
import { isNonRetryableError, isRetryableError, NonRetryableError, RetryableError } from '../../../src/pipeline/index.ts';

type Faults = typeof import('../../../src/kit/fault.ts');
type Asserts = typeof import('../../../src/kit/assert.ts');
type StepErrors = typeof import('../../../src/pipeline/step-error.ts');

// The query loads the same file as another module, like a second installed copy.
const otherFault = (await import('../../../src/kit/fault.ts?copy' as string)) as Faults;
const otherAssert = (await import('../../../src/kit/assert.ts?copy' as string)) as Asserts;
const otherErrors = (await import('../../../src/pipeline/step-error.ts?copy' as string)) as StepErrors;

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('an error of another copy of the package', () => {
  it('is recognized as a fault if it is one', () => {
    const fault = new otherFault.Fault('no-pipeline', 'Something failed.');
    expect(fault).not.toBeInstanceOf(Fault);
    expect(isFault(fault)).toBe(true);
    expect(codeOf(fault)).toBe('no-pipeline');
    expect(otherFault.isFault(new Fault('no-pipeline', 'Something failed.'))).toBe(true);
  });

  it('is recognized as an assertion error, a retryable error or a non-retryable error', () => {
    expect(isAssertionError(thrownBy(() => otherAssert.assert(false, 'never')))).toBe(true);
    expect(isAssertionError(thrownBy(() => assert(false, 'never')))).toBe(true);
    expect(isRetryableError(new otherErrors.RetryableError('again'))).toBe(true);
    expect(isNonRetryableError(new otherErrors.NonRetryableError('never'))).toBe(true);
  });
});

describe('a brand', () => {
  it('marks subclasses, and no other class', () => {
    class Special extends NonRetryableError {}
    expect(isNonRetryableError(new Special('never'))).toBe(true);
    expect(isRetryableError(new Special('never'))).toBe(false);
    expect([isFault(new RetryableError('again')), isFault(new Error('plain')), isFault(null), isFault('text')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('is read without throwing, and is not enumerable', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('do not look');
        },
      },
    );
    expect(isFault(hostile)).toBe(false);
    expect(Object.getOwnPropertySymbols(new Fault('no-pipeline', 'Something failed.'))).toEqual([]);
  });
});
