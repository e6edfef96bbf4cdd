import type { Failure, NewEvent } from '../../schema/index.ts';
import type { BatchEnd } from '../scheduler/index.ts';
import type { AttemptRecords } from './attempt-records.ts';
import { batchEvent } from './batch-event.ts';
import type { RecordedOutput } from './finished-rows.ts';

/** Data that a success records in addition to its output. `undeclared`: keys of its rows that are not declared. */
export type SuccessFacts = Pick<NewEvent<'BatchSucceeded'>['data'], 'source' | 'rowsIn' | 'missing' | 'undeclared' | 'elapsedMs'>;

/** Data that a failure records in addition to its error and its finished rows. */
export type FailureFacts = Pick<NewEvent<'BatchFailed'>['data'], 'pending' | 'retryInMs' | 'failsStep' | 'counted' | 'elapsedMs'>;

/** Returns the end of an attempt that completed its batch. */
export async function successEnd(
  { task, context, usage }: AttemptRecords,
  { output, rejected, rejections }: RecordedOutput,
  facts: SuccessFacts,
): Promise<BatchEnd> {
  const { rows, chunkRows, bytes } = output;
  const data = { ...facts, inputs: task.inputs, rows, chunkRows, bytes, rejected };
  const content = { output, rejections, checkpoints: [], consumed: usage.take(), data };
  return { event: await batchEvent('BatchSucceeded', task, context.chunks, content), pause: null };
}

/** Returns the end of an attempt that failed. It records the rows that the attempt finished. */
export async function failureEnd(
  { task, context, finished, usage, checkpoints: reached }: AttemptRecords,
  error: Failure,
  facts: FailureFacts,
): Promise<BatchEnd> {
  const { output, done, rejected, rejections } = finished.takeUnrecorded();
  const checkpoints = reached.takeUnrecorded();
  const data = { ...facts, error, done, rows: output.rows, rejected, checkpoints: checkpoints.length };
  const content = { output, rejections, checkpoints, consumed: usage.take(), data };
  return { event: await batchEvent('BatchFailed', task, context.chunks, content), pause: null };
}
