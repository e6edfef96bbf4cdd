// Steps whose function gets many rows in one call: those of a batch, or all.
import type { Span } from '../../schema/index.ts';
import { inScope } from '../kit/error-scope.ts';
import { isErrorLike } from '../kit/describe-thrown.ts';
import type { JsonObject } from '../kit/json.ts';
import type { RowsWiseRunnable } from '../pipeline/index.ts';
import { rowsOf } from '../rows/index.ts';
import type { BatchEnd } from '../scheduler/index.ts';
import type { Attempt } from './attempt.ts';
import { describeValue, iterableOf, raceCall } from './call.ts';
import { checkRow, refusalError } from './checked-row.ts';
import { OutputWriter } from './output-writer.ts';
import { originOfBatch, originOfRows } from './origins.ts';
import { RowContext } from './row-context.ts';
import type { RowFailure } from './row-failure.ts';
import { acceptValues } from './run-rows.ts';

/** Runs `mapBatch`: one call for the pending rows of a batch, with one result per row. */
export async function runBatchRows(attempt: Attempt, step: RowsWiseRunnable): Promise<BatchEnd> {
  const { context, finished, task } = attempt;
  const view = await context.reader.input(step.name, task.inputs);
  const input = await rowsOf(view, step.inputColumns);
  const pending = input.flatMap((_, row) => (finished.has(row) ? [] : row));
  const failed = new Map<number, RowFailure>();
  const fail = (row: number, thrown: unknown) => {
    const failure = attempt.failureOf(thrown);
    if (failure.pauses) return;
    if (failure.retryable) failed.set(row, failure);
    else attempt.reject(row, failure.failure.code, failure.failure.message);
  };
  if (pending.length > 0 && !attempt.isStopping) {
    const rowContext = new RowContext(attempt, await originOfRows(attempt, step, view, pending), null, pending[0]);
    try {
      const rows = Object.freeze(pending.map((row) => input[row] as JsonObject));
      const results = await callStep(attempt, step, rows, rowContext, async (value) => resultsOf(value, pending.length));
      for (const [index, result] of results.entries()) {
        const row = pending[index] as number;
        if (isErrorLike(result)) fail(row, result);
        else acceptValues(attempt, row, step.check(result));
      }
    } catch (thrown) {
      if (!attempt.isInterruption(thrown)) for (const row of pending) fail(row, thrown);
    }
  }
  return attempt.end(failed, input.length - finished.count);
}

function resultsOf(value: unknown, count: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`run must return a list of ${count} results, and returned ${describeValue(value)}`);
  if (value.length === count) return value;
  throw Object.assign(new Error(`run must return as many results as it gets rows, ${count}, and returned ${value.length}`), {
    code: 'invalid-output',
  });
}

/** Runs `batch`: one call that makes new rows from the rows of a batch. All of them are kept, or none. */
export async function runBatchWhole(attempt: Attempt, step: RowsWiseRunnable): Promise<BatchEnd> {
  const { context, task } = attempt;
  const rows = Object.freeze(await rowsOf(await context.reader.input(step.name, task.inputs), step.inputColumns));
  if (attempt.isStopping) return attempt.end(new Map(), rows.length);
  const rowContext = new RowContext(attempt, await originOfBatch(attempt, step), null);
  try {
    const output = await callStep(attempt, step, rows, rowContext, (value) => writeRows(attempt, step, value));
    await attempt.closeJournal();
    return await attempt.succeedWith(output, { rowsIn: rows.length });
  } catch (thrown) {
    if (attempt.isInterruption(thrown)) return attempt.end(new Map(), rows.length);
    const failure = attempt.failureOf(thrown);
    if (failure.retryable || failure.pauses) return attempt.end(new Map(rows.map((_, row) => [row, failure])), rows.length);
    for (const row of rows.keys()) attempt.reject(row, failure.failure.code, failure.failure.message);
    return attempt.end(new Map(), 0);
  }
}

/** Runs `global`: one call that makes new rows from all rows, which are read as the function iterates them and written as it yields them. */
export async function runWhole(attempt: Attempt, step: RowsWiseRunnable): Promise<BatchEnd> {
  const { task } = attempt;
  if (attempt.isStopping) return attempt.end(new Map(), task.rows);
  const rowContext = new RowContext(attempt, await originOfBatch(attempt, step), null);
  const output = await callStep(attempt, step, streamRows(attempt, step, task.inputs), rowContext, (value) =>
    writeRows(attempt, step, value),
  );
  await attempt.closeJournal();
  return attempt.succeedWith(output, { rowsIn: task.rows });
}

/** Calls the step's function and uses its result, within the step's time-out. */
async function callStep<T>(
  attempt: Attempt,
  step: RowsWiseRunnable,
  rows: readonly JsonObject[] | AsyncIterable<JsonObject>,
  rowContext: RowContext,
  use: (value: unknown) => Promise<T>,
): Promise<T> {
  const { context, task } = attempt;
  const lanes = context.lanesOf(step.name);
  const load = context.load.begin(step.name, task.batch, 1);
  if (!lanes.tryEnter()) await lanes.enter();
  try {
    const scope = attempt.scope(null);
    const call = inScope(scope, () =>
      Promise.resolve()
        .then(() => step.call(rows, rowContext))
        .then(use),
    );
    return await raceCall(call, { rowContext, scope, timeoutMs: step.options.timeoutMs, abort: context.abort });
  } finally {
    lanes.leave();
    load.end();
  }
}

/** Writes rows as the function yields them. Throws if one of them cannot be stored. */
async function writeRows(attempt: Attempt, step: RowsWiseRunnable, value: unknown) {
  const { context } = attempt;
  const writer = new OutputWriter(step.adds, context.chunks, false);
  for await (const item of iterableOf(value, 'run')) {
    if (context.abort.aborted) break;
    const stored = checkRow(step.check(item));
    if (stored.kind === 'refused')
      throw refusalError({ code: stored.code, message: `row ${writer.rows} of those made: ${context.redact(stored.message)}` });
    const storing = writer.add(stored.values, 0, stored.bytes);
    if (storing) await storing;
  }
  return writer.end();
}

/** Reads the input rows, one part after the other. */
async function* streamRows(attempt: Attempt, step: RowsWiseRunnable, inputs: readonly Span[]): AsyncGenerator<JsonObject> {
  for await (const part of attempt.context.reader.inputParts(step.name, inputs)) yield* await rowsOf(part, step.inputColumns);
}
