import { areScopesWatched, inScope } from '../kit/error-scope.ts';
import { type JsonObject } from '../kit/json.ts';
import type { Checked, RowWiseRunnable } from '../pipeline/index.ts';
import { columnsOf, rowMaker, type View } from '../rows/index.ts';
import type { BatchEnd } from '../scheduler/index.ts';
import type { Attempt } from './attempt.ts';
import { described, isThenable, iterated, settled } from './call.ts';
import type { CallScope } from './call-scope.ts';
import { checkRow, refusal, type CheckedRow } from './checked-row.ts';
import { dropped, keptAsItIs, type Finished } from './finished-rows.ts';
import { originsOf, type Origins } from './origins.ts';
import { RowContext } from './row-context.ts';
import type { RowFailure } from './row-failure.ts';
import { RowOutput } from './row-output.ts';
import { Turns } from './turns.ts';

/** Tries each pending row of a batch once: at most `concurrency` calls in flight, across the step's batches. */
export async function runRows(attempt: Attempt, step: RowWiseRunnable): Promise<BatchEnd> {
  const { context, finished, task } = attempt;
  const lanes = context.lanesOf(step.name);
  const failed = new Map<number, RowFailure>();
  const inFlight = new Set<Promise<void>>();
  const turns = new Turns();
  const rowAt = rowMaker(step.inputColumns);
  const load = context.load.begin(step.name, task.batch, task.rows - finished.count, () => finished.unrecordedBytes);
  const scopes = rowScopes(attempt, step);

  /** Tries those rows of a part that are pending, each made when its turn comes. False: no more rows are to be handed out. */
  const tryPart = async (part: View, first: number): Promise<boolean> => {
    const [values, origins] = await Promise.all([columnsOf(part, step.inputColumns), originsOf(attempt, step, part, first)]);
    const calls: Calls = { step, origins, failed, scopes };
    for (let row = first; row < first + part.count; row++) {
      if (finished.has(row)) continue;
      if (!lanes.tryEnter()) await lanes.enter();
      const making = attempt.room();
      if (making) await making;
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
        const over = turns.over();
        if (over) await over;
      }
    }
    return true;
  };

  const tryAll = async (): Promise<void> => {
    let first = 0;
    // A part of the input at a time: all of it may be larger than memory.
    for await (const part of context.reader.inputParts(step.name, task.inputs)) {
      if (!(await tryPart(part, first))) break;
      first += part.count;
    }
  };
  try {
    await inScope(attempt.scope(null), tryAll);
  } finally {
    // Calls under way end before the attempt does, also where the rest of the input cannot be read.
    await Promise.all(inFlight);
  }
  return attempt.end(failed, task.rows - finished.count);
}

/** What the calls for the rows of one part have in common. */
interface Calls {
  readonly step: RowWiseRunnable;
  readonly origins: Origins;
  readonly failed: Map<number, RowFailure>;
  readonly scopes: RowScopes;
}

/** Calls the step's function. Returns a promise only if the function did, or makes rows; it never rejects. */
function tryRow(attempt: Attempt, { step, origins, failed, scopes }: Calls, row: number, input: JsonObject): Promise<void> | undefined {
  const { context } = attempt;
  const rowContext = new RowContext(attempt, origins, row);
  const scope = scopes.scopeOf(row);
  // Rows that a generator makes are made in its scope, too.
  const invoke = (): unknown => {
    const value = step.call(input, rowContext);
    return step.operator === 'flatMap' ? Promise.resolve(value).then((made) => collected(attempt, step, row, made, rowContext)) : value;
  };
  let result: unknown;
  try {
    result = scope ? inScope(scope, invoke) : invoke();
  } catch (thrown) {
    scope?.end(true);
    lose(attempt, row, thrown, failed);
    return undefined;
  }
  const isAsync = isThenable(result);
  scopes.returned(isAsync);
  if (!isAsync) {
    accept(attempt, step, row, result);
    return undefined;
  }
  const ends = { rowContext, scope: scope ?? attempt.scope(row), timeoutMs: step.options.timeoutMs, abort: context.abort };
  return settled(Promise.resolve(result), ends).then(
    (value) => accept(attempt, step, row, value),
    (thrown: unknown) => (attempt.isGivenUp(thrown) ? undefined : lose(attempt, row, thrown, failed)),
  );
}

/** Gives the calls of a batch's rows their scopes. */
interface RowScopes {
  /** The scope of a row's call; undefined: it is called in that of the batch. */
  scopeOf(row: number): CallScope | undefined;
  /** A call returned: a promise or a value. */
  returned(isAsync: boolean): void;
}

/**
 * Each row has a scope of its own where its function is asynchronous: beside a promise it costs nothing. A function that returns at once is called a
 * million times a second, so its rows share the scope of their batch, until something comes to grief: another attempt then finds out which row it was.
 */
function rowScopes(attempt: Attempt, { options }: RowWiseRunnable): RowScopes {
  if (!areScopesWatched()) return { scopeOf: () => undefined, returned: () => undefined };
  const isSearching = attempt.task.failures > 0 || options.attempts === 1;
  let isOwn = true;
  return {
    scopeOf: (row) => (isOwn ? attempt.scope(row) : undefined),
    returned: (isAsync) => {
      isOwn = isAsync || isSearching;
    },
  };
}

/** What becomes of a row whose call threw: tried again, rejected, or, where the run pauses, left as it is. */
function lose(attempt: Attempt, row: number, thrown: unknown, failed: Map<number, RowFailure>): void {
  const what = attempt.failureOf(thrown);
  if (what.pauses) return;
  if (what.retryable) failed.set(row, what);
  else attempt.reject(row, what.failure.code, what.failure.message);
}

function accept(attempt: Attempt, step: RowWiseRunnable, row: number, value: unknown): void {
  switch (step.operator) {
    case 'filter':
      if (typeof value === 'boolean') attempt.finish(row, value ? keptAsItIs : dropped);
      else attempt.reject(row, 'invalid-output', `keep must return true or false, and returned ${described(value)}`);
      return;
    case 'route':
      if (step.branches.includes(value as string)) acceptValues(attempt, row, { ok: true, values: [value as string], undeclared: [] });
      else {
        const what = typeof value === 'string' ? JSON.stringify(value) : described(value);
        attempt.reject(row, 'invalid-output', `to must return one of ${step.branches.join(', ')}, and returned ${what}`);
      }
      return;
    case 'flatMap': {
      const { parts, undeclared } = value as Collected;
      attempt.finish(row, { kind: 'kept', parts }, undeclared);
      return;
    }
    case 'map':
    case 'replace':
      acceptValues(attempt, row, step.check(value));
  }
}

/** Takes checked values as a row's, unless they cannot be stored. */
export const acceptValues = (attempt: Attempt, row: number, checked: Checked): void =>
  acceptChecked(attempt, row, checked, checkRow(checked));

/** The same, where it is known how they are stored, if they can be. */
export function acceptChecked(attempt: Attempt, row: number, checked: Checked, stored: CheckedRow): void {
  if (stored.kind === 'row') attempt.finish(row, stored, checked.ok ? checked.undeclared : []);
  else attempt.reject(row, stored.code, attempt.context.redact(stored.message));
}

interface Collected {
  readonly parts: Extract<Finished, { readonly kind: 'kept' }>['parts'];
  readonly undeclared: readonly string[];
}

/** Takes the rows that a function makes of one, as they come. One that cannot be stored costs them all: what is wanted is all or none. */
async function collected(
  attempt: Attempt,
  step: RowWiseRunnable & { readonly operator: 'map' | 'replace' | 'flatMap' },
  row: number,
  value: unknown,
  { signal }: RowContext,
): Promise<Collected> {
  const output = new RowOutput(step.adds, attempt.context.chunks, row);
  const undeclared = new Set<string>();
  let count = 0;
  const turns = new Turns();
  for await (const made of iterated(value, 'run')) {
    // Nobody waits for it any more; leaving the loop ends the generator.
    if (signal.aborted) break;
    const checked = step.check(made);
    const stored = checkRow(checked);
    if (stored.kind === 'refused') throw refusal({ code: stored.code, message: `row ${count} of those made: ${stored.message}` });
    if (checked.ok) for (const key of checked.undeclared) undeclared.add(key);
    const storing = output.add(stored.values, stored.bytes);
    if (storing) await storing;
    count++;
    const over = turns.over();
    if (over) await over;
  }
  return { parts: output.parts(), undeclared: [...undeclared] };
}
