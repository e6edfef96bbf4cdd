import type { JsonObject } from '#kit/json';
import type { ManifestStep } from '#schema';
import type { Store } from '#log';
import { rowReader, rowsOf } from '#rows';

/** Which rows of a run: of one step, up to a position. */
export interface RowsWanted {
  readonly runId: string;
  readonly step: string;
  /** The run's steps, as recorded. */
  readonly steps: readonly ManifestStep[];
  /** All columns of the step's rows, in order. */
  readonly columns: readonly string[];
  readonly position: number;
  /** Batches at or above it do not count, because the step ended there; null: all count. */
  readonly end: number | null;
}

/**
 * The rows of a step in order (pass, batch, row), as of a position. Streamed: one batch and what it stems from is held at a time, however long the
 * run. Asked for again, at any later time, they are the same.
 */
export async function* leafRows(
  { log, chunks }: Store,
  { runId, step, steps, columns, position, end }: RowsWanted,
): AsyncGenerator<JsonObject> {
  const reader = rowReader({ log, chunks, logId: runId, to: position, steps });
  for await (const page of log.readSuccesses(runId, { step, to: position })) {
    for (const success of page) {
      if (end !== null && success.batch >= end) continue;
      if (success.data.rows === 0) continue;
      reader.note(success);
      for await (const part of reader.output(success)) yield* await rowsOf(part, columns);
    }
  }
}
