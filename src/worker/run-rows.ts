import { areScopesWatched, inScope } from '../kit/error-scope.ts';
import { type JsonObject } from '../kit/json.ts';
import type { Checked, RowWiseRunnable } from '../pipeline/index.ts';
import { columnsOf, rowBuilder, type View } from '../rows/index.ts';
import type { BatchEnd } from '../scheduler/index.ts';
import type { Attempt } from './attempt.ts';
import { describeValue, isThenable, iterableOf, raceCall } from './call.ts';
import type { CallScope } from './call-scope.ts';
import { checkRow, refusalError, type CheckedRow } from './checked-row.ts';
import { dropped, keptUnchanged, type Finished } from './finished-rows.ts';
import { originsOf, type Origins } from './origins.ts';
import { RowContext } from './row-context.ts';
import type { RowFailure } from './row-failure.ts';
import { RowOutput } from './row-output.ts';
import { TimeSlice } from './time-slice.ts';

/** Tries each pending row of a batch once: at most `concurrency` calls in flight, across the step's batches. */
export async function runRows(attempt: Attempt, step: RowWiseRunnable): Promise<BatchEnd> {
  const { context, finished, task } = attempt;
  const lanes = context.lanesOf(step.name);
  const failed = new Map<number, RowFailure>();
  const inFlight = new Set<Promise<void>>();
  const slice = new TimeSlice();
  const rowAt = rowBuilder(step.inputColumns);
  const load = context.load.begin(step.name, task.batch, task.rows - finished.count, () => finished.unrecordedBytes);
  const scopes = rowScopes(attempt, step);

  /** Tries the pending rows of a part, and builds each only when its lane is free. Returns false if the attempt starts no more rows. */
  const tryPart = async (part: View, first: number): Promise<boolean> => {
    const [values, origins] = await Promise.all([columnsOf(part, step.inputColumns), originsOf(attempt, step, part, first)]);
    const calls: Calls = { step, origins, failed, scopes };
    for (let row = first; row < first + part.count; row++) {
      if (finished.has(row)) continue;
      if (!lanes.tryEnter()) await lanes.enter();
      const flushing = attempt.makeRoom();
      if (flushing) await flushing;
      if (attempt.isStopping || context.abort.aborted) {
        lanes.leave();
        return false;
      }
      const call = tryRow(attempt, calls, row, rowAt(values, row - first));
      if (call) {
        const ended = call.finally(() => {
          lanes.leave();
          load.end();
          inFlight.delete(ended);
        });
        inFlight.add(ended);
      } else {
        lanes.leave();
        load.endAtOnce();
        const yielding = slice.endRow();
        if (yielding) await yielding;
      }
    }
    return true;
  };

  const tryAll = async (): Promise<void> => {
    let first = 0;
    // Part by part, because the whole input may be larger than memory.
    for await (const part of context.reader.inputParts(step.name, task.inputs)) {
      if (!(await tryPart(part, first))) break;
      first += part.count;
    }
  };
  try {
    await inScope(attempt.scope(null), tryAll);
  } finally {
    // Calls in flight end before the attempt does, also if the rest of the input cannot be read.
    await Promise.all(inFlight);
  }
  return attempt.end(failed, task.rows - finished.count);
}

/** Parameters shared by the calls for the rows of one part. */
interface Calls {
  readonly step: RowWiseRunnable;
  readonly origins: Origins;
  readonly failed: Map<number, RowFailure>;
  readonly scopes: RowScopes;
}

/** Calls the step's function for a row. Returns a promise only if the function does or the step is a `flatMap`; it never rejects. */
function tryRow(attempt: Attempt, { step, origins, failed, scopes }: Calls, row: number, input: JsonObject): Promise<void> | undefined {
  const { context } = attempt;
  const rowContext = new RowContext(attempt, origins, row);
  const scope = scopes.scopeOf(row);
  // A generator makes its rows in the same scope.
  const invoke = (): unknown => {
    const value = step.call(input, rowContext);
    return step.operator === 'flatMap' ? Promise.resolve(value).then((made) => collectRows(attempt, step, row, made, rowContext)) : value;
  };
  let result: unknown;
  try {
    result = scope ? inScope(scope, invoke) : invoke();
  } catch (thrown) {
    scope?.end(true);
    failRow(attempt, row, thrown, failed);
    return undefined;
  }
  const isAsync = isThenable(result);
  scopes.recordCall(isAsync);
  if (!isAsync) {
    accept(attempt, step, row, result);
    return undefined;
  }
  const limits = { rowContext, scope: scope ?? attempt.scope(row), timeoutMs: step.options.timeoutMs, abort: context.abort };
  return raceCall(Promise.resolve(result), limits).then(
    (value) => accept(attempt, step, row, value),
    (thrown: unknown) => (attempt.isInterruption(thrown) ? undefined : failRow(attempt, row, thrown, failed)),
  );
}

/** Gives the calls of a batch's rows their scopes. */
interface RowScopes {
  /** Returns the scope of a row's call, or undefined if the call runs in the scope of the batch. */
  scopeOf(row: number): CallScope | undefined;
  /** Records whether a call returned a promise or a value. */
  recordCall(isAsync: boolean): void;
}

/**
 * Returns the scopes of a batch's calls. Each row of an asynchronous function has its own scope, whose cost is negligible next to a promise. A function that
 * returns at once is called a million times a second, so its rows share the batch's scope. After an error, the next attempt uses a scope per row to find
 * the row that caused it.
 */
function rowScopes(attempt: Attempt, { options }: RowWiseRunnable): RowScopes {
  if (!areScopesWatched()) return { scopeOf: () => undefined, recordCall: () => undefined };
  const isSearching = attempt.task.failures > 0 || options.attempts === 1;
  let isOwn = true;
  return {
    scopeOf: (row) => (isOwn ? attempt.scope(row) : undefined),
    recordCall: (isAsync) => {
      isOwn = isAsync || isSearching;
    },
  };
}

/** Marks a row whose call threw for a retry, or rejects it. If the run pauses, the row stays pending. */
function failRow(attempt: Attempt, row: number, thrown: unknown, failed: Map<number, RowFailure>): void {
  const failure = attempt.failureOf(thrown);
  if (failure.pauses) return;
  if (failure.retryable) failed.set(row, failure);
  else attempt.reject(row, failure.failure.code, failure.failure.message);
}

function accept(attempt: Attempt, step: RowWiseRunnable, row: number, value: unknown): void {
  switch (step.operator) {
    case 'filter':
      if (typeof value === 'boolean') attempt.finish(row, value ? keptUnchanged : dropped);
      else attempt.reject(row, 'invalid-output', `keep must return true or false, and returned ${describeValue(value)}`);
      return;
    case 'route':
      if (step.branches.includes(value as string)) acceptValues(attempt, row, { ok: true, values: [value as string], undeclared: [] });
      else {
        const returned = typeof value === 'string' ? JSON.stringify(value) : describeValue(value);
        attempt.reject(row, 'invalid-output', `to must return one of ${step.branches.join(', ')}, and returned ${returned}`);
      }
      return;
    case 'flatMap': {
      const { parts, undeclared } = value as CollectedRows;
      attempt.finish(row, { kind: 'kept', parts }, undeclared);
      return;
    }
    case 'map':
    case 'replace':
      acceptValues(attempt, row, step.check(value));
  }
}

/** Finishes a row with checked values, or rejects it if they cannot be stored. */
export const acceptValues = (attempt: Attempt, row: number, checked: Checked): void =>
  acceptChecked(attempt, row, checked, checkRow(checked));

/** Does the same with values that `checkRow` has encoded or refused already. */
export function acceptChecked(attempt: Attempt, row: number, checked: Checked, stored: CheckedRow): void {
  if (stored.kind === 'row') attempt.finish(row, stored, checked.ok ? checked.undeclared : []);
  else attempt.reject(row, stored.code, attempt.context.redact(stored.message));
}

interface CollectedRows {
  readonly parts: Extract<Finished, { readonly kind: 'kept' }>['parts'];
  readonly undeclared: readonly string[];
}

/** Collects the rows that a function makes from one row, as they come. All of them are rejected if one cannot be stored: a row yields all or none. */
async function collectRows(
  attempt: Attempt,
  step: RowWiseRunnable & { readonly operator: 'map' | 'replace' | 'flatMap' },
  row: number,
  value: unknown,
  { signal }: RowContext,
): Promise<CollectedRows> {
  const output = new RowOutput(step.adds, attempt.context.chunks, row);
  const undeclared = new Set<string>();
  let count = 0;
  const slice = new TimeSlice();
  for await (const item of iterableOf(value, 'run')) {
    // The result is no longer used. Leaving the loop ends the generator.
    if (signal.aborted) break;
    const checked = step.check(item);
    const stored = checkRow(checked);
    if (stored.kind === 'refused') throw refusalError({ code: stored.code, message: `row ${count} of those made: ${stored.message}` });
    if (checked.ok) for (const key of checked.undeclared) undeclared.add(key);
    const storing = output.add(stored.values, stored.bytes);
    if (storing) await storing;
    count++;
    const yielding = slice.endRow();
    if (yielding) await yielding;
  }
  return { parts: output.parts(), undeclared: [...undeclared] };
}
