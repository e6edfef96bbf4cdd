import { setImmediate } from 'node:timers/promises';
import type { JsonObject } from '#kit/json';
import type { ManifestStep } from '#schema';
import type { Store } from '#log';
import { rowReader, rowsOf } from '#rows';
import { oneAhead } from './one-ahead.ts';

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

/** Rows after which whatever else waits has its turn: so the next rows are on their way while these are used. */
const turnEvery = 100;

/**
 * The rows of a step in order (pass, batch, row), as of a position. Streamed: the rows of two chunks and what they stem from are held at a time, however
 * long the run. Asked for again, at any later time, they are the same.
 */
export async function* leafRows(store: Store, wanted: RowsWanted): AsyncGenerator<JsonObject> {
  let count = 0;
  for await (const rows of oneAhead(chunksOfRows(store, wanted))) {
    for (const row of rows) {
      yield row;
      if (++count % turnEvery === 0) await setImmediate();
    }
  }
}

async function* chunksOfRows(
  { log, chunks }: Store,
  { runId, step, steps, columns, position, end }: RowsWanted,
): AsyncGenerator<readonly JsonObject[]> {
  const reader = rowReader({ log, chunks, logId: runId, to: position, steps });
  for await (const page of log.readSuccesses(runId, { step, to: position })) {
    for (const success of page) {
      if (end !== null && success.batch >= end) continue;
      if (success.data.rows === 0) continue;
      reader.note(success);
      for await (const part of reader.output(success)) yield await rowsOf(part, columns);
    }
  }
}
