import { rowBytesMax } from '#schema';
import { formatBytes } from '#kit/bytes';
import { Fault, messageOf } from '#kit/fault';
import type { JsonObject } from '#kit/json';
import type { RunnableStep } from '#pipeline';
import { encodeValues, rowBytes, rowsOf } from '#rows';
import type { Attempt, Ended } from './attempt.ts';
import { RowContext } from './row-context.ts';
import type { RowFailure } from './row-failure.ts';

type RowWise = Extract<RunnableStep, { readonly operator: 'map' | 'filter' }>;

/** Synchronous functions give way to the rest of the process after so long. */
const yieldEveryMs = 20;

/** Tries each pending row of a batch once: at most `concurrency` calls in flight, across the step's batches. */
export async function runRows(attempt: Attempt, step: RowWise): Promise<Ended> {
  const { context, finished, task } = attempt;
  const input = await context.reader.input(task.inputs);
  const rows = await rowsOf(input, step.inputColumns);
  const lanes = context.lanesOf(step.name);
  const failed = new Map<number, RowFailure>();
  const inFlight = new Set<Promise<void>>();
  let lastYield = performance.now();

  for (let row = 0; row < rows.length; row++) {
    if (finished.has(row)) continue;
    if (!lanes.tryEnter()) await lanes.enter();
    if (attempt.isStopping || context.abort.aborted) {
      lanes.leave();
      break;
    }
    const call = tryRow(attempt, step, row, rows[row] as JsonObject, failed);
    if (call) {
      const settled = call.finally(() => {
        lanes.leave();
        inFlight.delete(settled);
      });
      inFlight.add(settled);
    } else {
      lanes.leave();
      if (performance.now() - lastYield > yieldEveryMs) {
        await new Promise(setImmediate);
        lastYield = performance.now();
      }
    }
  }
  await Promise.all(inFlight);
  return attempt.end(failed, rows.length - finished.count);
}

/** Calls the step's function. Returns a promise only if the function did; it never rejects. */
function tryRow(
  attempt: Attempt,
  step: RowWise,
  row: number,
  input: JsonObject,
  failed: Map<number, RowFailure>,
): Promise<void> | undefined {
  const { context, task, usage } = attempt;
  const rowContext = new RowContext({
    attempt: task.failures + 1,
    key: `${context.runId}/${step.name}/${task.batch}/${row}`,
    runSeed: context.seed,
    abort: context.abort,
    log: context.userLog(step.name),
    use: (resource) => context.resources.use(resource),
    usage: (reported) => usage.add(row, task.failures + 1, reported),
  });
  const failure = (thrown: unknown) => {
    const what = attempt.failureOf(thrown);
    if (what.pauses) return;
    if (what.retryable) failed.set(row, what);
    else attempt.reject(row, what.failure.code, what.failure.message);
  };
  let result: unknown;
  try {
    result = step.call(input, rowContext);
  } catch (thrown) {
    failure(thrown);
    return undefined;
  }
  if (!isThenable(result)) {
    accept(attempt, step, row, result);
    return undefined;
  }
  return settled(Promise.resolve(result), rowContext, step.options.timeoutMs, context.abort).then(
    (value) => accept(attempt, step, row, value),
    (thrown: unknown) => (context.abort.aborted ? undefined : failure(thrown)),
  );
}

function accept(attempt: Attempt, step: RowWise, row: number, value: unknown): void {
  if (step.operator === 'filter') {
    if (typeof value === 'boolean') attempt.finish(row, value ? { kind: 'kept', values: [] } : { kind: 'dropped' });
    else attempt.reject(row, 'invalid-output', `keep must return true or false, and returned ${describe(value)}`);
    return;
  }
  acceptValues(attempt, row, step.check(value));
}

/** Takes checked values as a row's, unless they cannot be stored. */
export function acceptValues(
  attempt: Attempt,
  row: number,
  checked: ReturnType<Extract<RunnableStep, { readonly operator: 'map' }>['check']>,
): void {
  if (!checked.ok) {
    attempt.reject(row, checked.code, attempt.context.redact(checked.message));
    return;
  }
  let values: readonly string[];
  try {
    values = encodeValues(checked.values);
  } catch (thrown) {
    attempt.reject(row, 'invalid-output', `the row is not JSON: ${messageOf(thrown)}`);
    return;
  }
  const bytes = rowBytes(values);
  if (bytes > rowBytesMax)
    attempt.reject(row, 'row-too-large', `the row takes ${formatBytes(bytes)}; at most ${formatBytes(rowBytesMax)} are stored`);
  else attempt.finish(row, { kind: 'kept', values }, checked.undeclared);
}

/** A call's result, its time-out, or the abort of everything, whichever comes first. */
function settled<T>(call: Promise<T>, rowContext: RowContext, timeoutMs: number, abort: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      rowContext.cancel(reason);
      reject(reason);
    };
    rowContext.clock.start(timeoutMs, () => giveUp(new Fault('timeout', `no result after ${timeoutMs} ms`)));
    const onAbort = () => giveUp(new Fault('aborted', 'the run was stopped'));
    // The call itself may have brought the abort about.
    if (abort.aborted) onAbort();
    abort.addEventListener('abort', onAbort, { once: true });
    call.then(resolve, reject).finally(() => {
      rowContext.clock.stop();
      abort.removeEventListener('abort', onAbort);
    });
  });
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

const describe = (value: unknown): string =>
  (value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`).replace('a undefined', 'undefined');
