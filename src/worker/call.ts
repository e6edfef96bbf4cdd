import { Fault } from '../kit/fault.ts';
import { memberOf } from '../kit/describe-thrown.ts';
import type { CallScope } from './call-scope.ts';
import type { RowContext } from './row-context.ts';

/** What a call ends with, if not by itself. */
export interface CallEnds {
  readonly rowContext: RowContext;
  readonly scope: CallScope;
  readonly timeoutMs: number;
  readonly abort: AbortSignal;
}

/** A call's result, its time-out, an error of its scope that nothing awaited, or the abort of everything, whichever comes first. */
export function settled<T>(call: Promise<T>, { rowContext, scope, timeoutMs, abort }: CallEnds): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      scope.end(true);
      rowContext.cancel(reason);
      reject(reason);
    };
    scope.await(giveUp);
    rowContext.clock.start(timeoutMs, () => giveUp(new Fault('timeout', `no result after ${timeoutMs} ms`)));
    const onAbort = () => giveUp(new Fault('aborted', 'the run was stopped'));
    // The call itself may have brought the abort about.
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

/** Whether a value is a promise or acts as one. A value whose `then` cannot be read is none. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> => typeof memberOf(value, 'then') === 'function';

/** Whatever gives rows, one after the other: a list, a generator, a stream. Throws a `TypeError` for anything else. */
export function iterated(value: unknown, what: string): Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value))
    return value as Iterable<unknown>;
  throw Object.assign(new TypeError(`${what} must return rows, a list or a generator, and returned ${described(value)}`), {
    code: 'invalid-output',
    retryable: false,
  });
}

/** What a value is, for messages. */
export const described = (value: unknown): string =>
  (value === null ? 'null' : isArray(value) ? 'an array' : `a ${typeof value}`)
    .replace('a undefined', 'undefined')
    .replace('a object', 'an object');

/** Whether a value is an array. A proxy that was revoked cannot be asked. */
function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
