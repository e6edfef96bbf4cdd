import type { RecordedEvent } from '../../schema/index.ts';
import { inScope } from '../kit/error-scope.ts';
import { isErrorLike } from '../kit/describe-thrown.ts';
import { Fault } from '../kit/fault.ts';
import { canonicalJson, type JsonObject } from '../kit/json.ts';
import type { RunnableStep } from '../pipeline/index.ts';
import type { BatchEnd } from '../scheduler/index.ts';
import type { Attempt } from './attempt.ts';
import type { CallScope } from './call-scope.ts';
import { checkRow } from './checked-row.ts';
import { failureOf } from './row-failure.ts';
import { acceptChecked, acceptValues } from './run-rows.ts';
import { markOf, openSource, type Mark, type SourceReader } from './source-reader.ts';
import { TimeSlice } from './time-slice.ts';

type Source = Extract<RunnableStep, { readonly operator: 'source' }>;

/** Bytes of stored values after which a source's batch ends, however few rows it has. Limits the memory of a batch of large rows. */
const batchBytesMax = 32 * 1024 * 1024;

/** Characters of a key that a message shows. */
const shownMax = 80;

/** Open sources by step. Each batch of a source continues where the batch before it ended. */
export type OpenSources = Map<string, { readonly reader: SourceReader; readonly scope: CallScope }>;

/** Reads a source's next batch. If the source fails midway, the rows before the failure are kept and delivered. */
export async function runSource(attempt: Attempt, source: Source, open: OpenSources): Promise<BatchEnd> {
  const { context, finished, task } = attempt;
  const size = source.cut.kind === 'source' ? source.cut.rows : 1;
  const done = finished.count;
  const batch = { read: done, last: false, bytes: 0 };
  const scope = attempt.scope(null, open.get(source.name)?.scope);
  const read = async (): Promise<void> => {
    if (source.key !== null) await context.keysOf(source.name).begin(attempt);
    const reader = await readerAt(attempt, source, { open, scope }, task.offset + done);
    const slice = new TimeSlice();
    while (batch.read < size && batch.bytes < batchBytesMax && !attempt.isStopping && !context.abort.aborted) {
      const pulled = reader.next();
      const item = pulled instanceof Promise ? await raceItem(pulled, scope, context.abort) : pulled;
      if (item.done) {
        batch.last = true;
        break;
      }
      const bytesBefore = finished.unrecordedBytes;
      if (isErrorLike(item.value)) rejectItem(attempt, batch.read, item.value);
      else if (source.key === null) acceptValues(attempt, batch.read, source.check(item.value));
      else acceptKeyed(attempt, batch.read, source, source.key, item.value);
      batch.bytes += finished.unrecordedBytes - bytesBefore;
      batch.read++;
      const yielding = slice.endRow();
      if (yielding) await yielding;
    }
    if (!batch.last && reader.isSynchronous && !attempt.isStopping) batch.last = (await reader.peek()).done;
    await attempt.throwUnawaited();
  };
  try {
    await inScope(scope, read);
  } catch (thrown) {
    await closeSource(open, source.name);
    // The last attempt delivers the items before the unreadable one; the next batch begins with that item.
    const isLastAttempt = task.failures + 1 >= source.options.attempts;
    if (!isLastAttempt || finished.count === 0 || context.abort.aborted) return attempt.fail(thrown);
  }
  await attempt.closeJournal();
  if (attempt.isStepBroken || (attempt.isStopping && !batch.last && batch.read < size)) {
    await closeSource(open, source.name);
    return attempt.end(new Map(), size - batch.read);
  }
  if (source.options.onError === 'fail') {
    for (let row = 0; row < batch.read; row++) {
      const rejection = finished.rejectionOf(row);
      if (rejection) {
        const { code, message } = rejection;
        return attempt.giveUp({ code, name: 'Rejected', message, stack: '' }, 0);
      }
    }
  }
  const mark = await markAt(attempt, batch.read - 1);
  return attempt.succeed({ read: batch.read, last: batch.last, mark, offset: task.offset }, batch.read);
}

/** Finishes a row of a source that declares a key, or rejects it if it cannot be stored or an earlier item has its key. */
function acceptKeyed(attempt: Attempt, row: number, { check, columns }: Source, key: string, value: unknown): void {
  const checked = check(value);
  const stored = checkRow(checked);
  if (stored.kind === 'refused' || !checked.ok) return acceptChecked(attempt, row, checked, stored);
  const item = attempt.task.offset + row;
  const owner = attempt.context.keysOf(attempt.task.step.name).claim(item, checked.values);
  if (owner === item) return acceptChecked(attempt, row, checked, stored);
  const text = canonicalJson(checked.values[columns.findIndex(({ name }) => name === key)]);
  const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
  const message = `item ${item + 1} has the key ${shown} in column ${key}, which item ${owner + 1} has already`;
  attempt.reject(row, 'duplicate-key', attempt.context.redact(message));
}

/** Rejects an item that a source yields as an error, such as a line that is not JSON. */
function rejectItem(attempt: Attempt, row: number, error: Error): void {
  const { code, message } = failureOf(error, attempt.context.redact);
  attempt.reject(row, code, message);
}

/** Closes a source, so that the next batch opens it again. */
export async function closeSource(open: OpenSources, name: string): Promise<void> {
  const entry = open.get(name);
  open.delete(name);
  // The source is dropped in any case, so an error of its clean-up changes nothing.
  await entry?.reader.close().catch(() => undefined);
}

async function readerAt(
  attempt: Attempt,
  source: Source,
  { open, scope }: { readonly open: OpenSources; readonly scope: CallScope },
  offset: number,
): Promise<SourceReader> {
  const openReader = open.get(source.name)?.reader;
  if (openReader?.offset === offset) return openReader;
  await closeSource(open, source.name);
  await requireSameOrigin(attempt);
  const reader = await openSource(source, offset, await markBefore(attempt, offset), attempt.context);
  open.set(source.name, { reader, scope });
  return reader;
}

/**
 * Throws `Fault('source-changed')` for a source whose origin differs from the recorded one. A changed file has other rows, even if the item before the
 * offset is the same. Its path may differ.
 */
async function requireSameOrigin({ task, context }: Attempt): Promise<void> {
  const { origin, step } = task;
  const currentOrigin = origin && (await context.originOf(step.name));
  if (!currentOrigin) return;
  const textOf = (facts: JsonObject, key: string) => canonicalJson(facts[key] ?? null);
  const differing = Object.keys({ ...origin, ...currentOrigin }).find(
    (key) => key !== 'path' && textOf(origin, key) !== textOf(currentOrigin, key),
  );
  if (differing === undefined) return;
  const named = typeof currentOrigin['path'] === 'string' ? `, ${currentOrigin['path']},` : '';
  const change = `${differing} was ${textOf(origin, differing)} and is ${textOf(currentOrigin, differing)}`;
  throw new Fault(
    'source-changed',
    `The input of source ${step.name}${named} has changed since the run began: ${change}. Restore it and resume, or start a new run.`,
    { details: { step: step.name } },
  );
}

/** Returns the mark of the item before `offset`, from this batch's earlier attempts or from the batch before it. */
async function markBefore(attempt: Attempt, offset: number): Promise<Mark> {
  const { task, context } = attempt;
  if (offset > task.offset) return markAt(attempt, offset - task.offset - 1);
  if (task.batch === 0) return null;
  const previousBatch: RecordedEvent<'BatchSucceeded'> | null = await context.log.success(context.runId, {
    pass: task.pass,
    step: task.step.name,
    batch: task.batch - 1,
    to: Number.MAX_SAFE_INTEGER,
  });
  return previousBatch?.data.source?.mark ?? null;
}

async function markAt(attempt: Attempt, row: number): Promise<Mark> {
  const values = await attempt.finished.valuesOf(row);
  return values ? markOf(values) : null;
}

/** Returns an item, or rejects if the run is aborted or an unawaited error comes first: then the item may never come. */
function raceItem<T>(promise: Promise<T>, scope: CallScope, abort: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abort.reason);
    if (abort.aborted) onAbort();
    abort.addEventListener('abort', onAbort, { once: true });
    scope.endOnError(reject);
    // Ends before the item is passed on, so that it does not undo the set-up of the wait for the next item.
    const end = () => {
      scope.end(false);
      abort.removeEventListener('abort', onAbort);
    };
    promise.then(
      (item) => {
        end();
        resolve(item);
      },
      (thrown: unknown) => {
        end();
        reject(thrown);
      },
    );
  });
}
