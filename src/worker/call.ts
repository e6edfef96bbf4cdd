import { Fault } from '../kit/fault.ts';
import { memberOf } from '../kit/describe-thrown.ts';
import type { CallScope } from './call-scope.ts';
import type { RowContext } from './row-context.ts';

/** Everything that can end a call before it settles. */
export interface CallLimits {
  readonly rowContext: RowContext;
  readonly scope: CallScope;
  readonly timeoutMs: number;
  readonly abort: AbortSignal;
}

/** Settles with what comes first: the call's result, its time-out, an unawaited error of its scope, or the abort of the run. */
export function raceCall<T>(call: Promise<T>, { rowContext, scope, timeoutMs, abort }: CallLimits): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      scope.end(true);
      rowContext.cancel(reason);
      reject(reason);
    };
    scope.endOnError(giveUp);
    rowContext.clock.start(timeoutMs, () => giveUp(new Fault('timeout', `no result after ${timeoutMs} ms`)));
    const onAbort = () => giveUp(new Fault('aborted', 'the run was stopped'));
    // The call itself may have caused the abort.
    if (abort.aborted) onAbort();
    abort.addEventListener('abort', onAbort, { once: true });
    const end = (hasFailed: boolean) => {
      scope.end(hasFailed);
      rowContext.clock.stop();
      abort.removeEventListener('abort', onAbort);
    };
    call.then(
      (value) => {
        end(false);
        resolve(value);
      },
      (thrown: unknown) => {
        end(true);
        reject(thrown);
      },
    );
  });
}

/** Returns whether a value is a promise or another thenable. False if its `then` cannot be read. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> => typeof memberOf(value, 'then') === 'function';

/** Returns a value as an iterable of rows: a list, a generator or a stream. Throws a `TypeError` for anything else. */
export function iterableOf(value: unknown, name: string): Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value))
    return value as Iterable<unknown>;
  throw Object.assign(new TypeError(`${name} must return rows, a list or a generator, and returned ${describeValue(value)}`), {
    code: 'invalid-output',
    retryable: false,
  });
}

/** Returns the kind of a value with its article, for messages. */
export const describeValue = (value: unknown): string =>
  (value === null ? 'null' : isArray(value) ? 'an array' : `a ${typeof value}`)
    .replace('a undefined', 'undefined')
    .replace('a object', 'an object');

/** Returns whether a value is an array. False for a revoked proxy, for which `Array.isArray` throws. */
function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
