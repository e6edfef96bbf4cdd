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
import { Turns } from './turns.ts';

type Source = Extract<RunnableStep, { readonly operator: 'source' }>;

/** Bytes of stored values after which a source's batch ends, however few rows it has: bounds what a batch of large rows holds in memory. */
const batchBytesMax = 32 * 1024 * 1024;

/** Characters of a key that a message shows. */
const shownMax = 80;

/** Sources that are open, by step: batches of a source go on where the one before it ended. */
export type OpenSources = Map<string, { readonly reader: SourceReader; readonly scope: CallScope }>;

/** Reads a source's next batch. What was read before it broke is kept, and arrives. */
export async function runSource(attempt: Attempt, source: Source, open: OpenSources): Promise<BatchEnd> {
  const { context, finished, task } = attempt;
  const size = source.cut.kind === 'source' ? source.cut.rows : 1;
  const done = finished.count;
  const batch = { read: done, last: false, bytes: 0 };
  const scope = attempt.scope(null, open.get(source.name)?.scope);
  const read = async (): Promise<void> => {
    if (source.key !== null) await context.keysOf(source.name).begin(attempt);
    const reader = await readerAt(attempt, source, { open, scope }, task.offset + done);
    const turns = new Turns();
    while (batch.read < size && batch.bytes < batchBytesMax && !attempt.isStopping && !context.abort.aborted) {
      const pulled = reader.next();
      const item = pulled instanceof Promise ? await unlessGivenUp(pulled, scope, context.abort) : pulled;
      if (item.done) {
        batch.last = true;
        break;
      }
      const held = finished.unrecordedBytes;
      if (isErrorLike(item.value)) rejectItem(attempt, batch.read, item.value);
      else if (source.key === null) acceptValues(attempt, batch.read, source.check(item.value));
      else acceptKeyed(attempt, batch.read, source, source.key, item.value);
      batch.bytes += finished.unrecordedBytes - held;
      batch.read++;
      const over = turns.over();
      if (over) await over;
    }
    if (!batch.last && reader.isSynchronous && !attempt.isStopping) batch.last = (await reader.peek()).done;
    await attempt.throwUnawaited();
  };
  try {
    await inScope(scope, read);
  } catch (thrown) {
    await closeSource(open, source.name);
    // The last attempt delivers what came before the item that cannot be read; the next batch begins with that item.
    const isLastAttempt = task.failures + 1 >= source.options.attempts;
    if (!isLastAttempt || finished.count === 0 || context.abort.aborted) return attempt.broken(thrown);
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
        return attempt.givenUp({ code, name: 'Rejected', message, stack: '' }, 0);
      }
    }
  }
  const mark = await markAt(attempt, batch.read - 1);
  return attempt.succeeded({ read: batch.read, last: batch.last, mark, offset: task.offset }, batch.read);
}

/** Takes the values of an item of a source that declares a key, unless they cannot be stored or an earlier item has their key. */
function acceptKeyed(attempt: Attempt, row: number, { check, columns }: Source, key: string, value: unknown): void {
  const checked = check(value);
  const stored = checkRow(checked);
  if (stored.kind === 'refused' || !checked.ok) return acceptChecked(attempt, row, checked, stored);
  const item = attempt.task.offset + row;
  const owner = attempt.context.keysOf(attempt.task.step.name).claim(item, checked.values);
  if (owner === item) return acceptChecked(attempt, row, checked, stored);
  const text = canonicalJson(checked.values[columns.findIndex(({ name }) => name === key)]);
  const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
  const message = `column ${key} is this source's key, and ${shown} is the key of item ${owner + 1} already; this is item ${item + 1}`;
  attempt.reject(row, 'duplicate-key', attempt.context.redact(message));
}

/** A source may give an error in a row's place: a line that is no JSON, say. It costs that row. */
function rejectItem(attempt: Attempt, row: number, error: Error): void {
  const { code, message } = failureOf(error, attempt.context.redact);
  attempt.reject(row, code, message);
}

/** Ends a source's iterator, so that the next batch opens it anew. */
export async function closeSource(open: OpenSources, name: string): Promise<void> {
  const opened = open.get(name);
  open.delete(name);
  // It is to be given up in any case: what its clean-up throws changes nothing.
  await opened?.reader.close().catch(() => undefined);
}

async function readerAt(
  attempt: Attempt,
  source: Source,
  { open, scope }: { readonly open: OpenSources; readonly scope: CallScope },
  offset: number,
): Promise<SourceReader> {
  const known = open.get(source.name)?.reader;
  if (known?.offset === offset) return known;
  await closeSource(open, source.name);
  await refuseOtherOrigin(attempt);
  const reader = await openSource(source, offset, await markBefore(attempt, offset), attempt.context);
  open.set(source.name, { reader, scope });
  return reader;
}

/** A file that was changed since the source was started has other rows, whatever the one before `offset` is. Where it lies is its own affair. */
async function refuseOtherOrigin({ task, context }: Attempt): Promise<void> {
  const { origin, step } = task;
  const now = origin && (await context.originOf(step.name));
  if (!now) return;
  const textOf = (facts: JsonObject, key: string) => canonicalJson(facts[key] ?? null);
  const differing = Object.keys({ ...origin, ...now }).find((key) => key !== 'path' && textOf(origin, key) !== textOf(now, key));
  if (differing === undefined) return;
  const named = typeof now['path'] === 'string' ? `, ${now['path']},` : '';
  const change = `${differing} was ${textOf(origin, differing)} and is ${textOf(now, differing)}`;
  throw new Fault(
    'source-changed',
    `What source ${step.name} reads${named} has changed since the run began: ${change}. Put it back as it was and resume, or start a new run.`,
    { details: { step: step.name } },
  );
}

/** The mark of the item before `offset`: from this batch's earlier attempts, or from the batch before it. */
async function markBefore(attempt: Attempt, offset: number): Promise<Mark> {
  const { task, context } = attempt;
  if (offset > task.offset) return markAt(attempt, offset - task.offset - 1);
  if (task.batch === 0) return null;
  const before: RecordedEvent<'BatchSucceeded'> | null = await context.log.success(context.runId, {
    pass: task.pass,
    step: task.step.name,
    batch: task.batch - 1,
    to: Number.MAX_SAFE_INTEGER,
  });
  return before?.data.source?.mark ?? null;
}

async function markAt(attempt: Attempt, row: number): Promise<Mark> {
  const values = await attempt.finished.valuesOf(row);
  return values ? markOf(values) : null;
}

/** An item, unless the run is stopped first, or the source loses an error that nothing awaits: then no item may ever come. */
function unlessGivenUp<T>(promise: Promise<T>, scope: CallScope, abort: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(abort.reason);
    if (abort.aborted) onAbort();
    abort.addEventListener('abort', onAbort, { once: true });
    scope.await(reject);
    // Before the item is taken: what waits for the next one is not to be undone.
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
