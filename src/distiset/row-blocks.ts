import { setImmediate } from 'node:timers/promises';
import { assert } from '../kit/assert.ts';
import type { Json, JsonObject } from '../kit/json.ts';
import type { ManifestStep } from '../../schema/index.ts';
import type { Store } from '../log/index.ts';
import { bytesOf, columnsOf, rowBuilder, rowReader, type View } from '../rows/index.ts';
import { makeAhead } from './make-ahead.ts';

/** Consecutive rows, by column. */
export interface RowBlock {
  readonly count: number;
  /** The values of each column, one per row, in the order of the step's columns. */
  readonly values: readonly (readonly Json[])[];
}

/** A selection of a run's rows: those of one step, up to a position. */
export interface RowsWanted {
  readonly runId: string;
  readonly step: string;
  /** The run's steps, as recorded. */
  readonly steps: readonly ManifestStep[];
  /** All columns of the step's rows, in order. */
  readonly columns: readonly string[];
  readonly position: number;
  /** The first batch that does not count, because the step ended there. Null if all batches count. */
  readonly end: number | null;
}

/** Approximate maximum size of blocks that are read ahead, and their maximum number. Blocks that are read together share their queries. */
const aheadBytesMax = 1024 * 1024;
const aheadMax = 2;

/**
 * Reads the rows of a step in order (pass, batch, row), as of a position. They are streamed: in addition to the current block, about 1 MiB of the next
 * blocks is in memory, and always at least one of them, with the inputs that they are made of. Memory does not depend on the length of the run. A later call yields the same rows.
 */
export async function* leafBlocks(store: Store, wanted: RowsWanted): AsyncGenerator<RowBlock> {
  const blockOf = async (view: View): Promise<RowBlock> => {
    const values = await columnsOf(view, wanted.columns);
    assert(
      values.every(({ length }) => length === view.count),
      'every column has one value per row',
    );
    return { count: view.count, values };
  };
  const ahead = { weightOf: ({ values }: RowBlock) => bytesOf(values), weightMax: aheadBytesMax, countMax: aheadMax };
  for await (const block of makeAhead(viewsOf(store, wanted), blockOf, ahead)) {
    yield block;
    // Yields to the event loop, so that the next blocks are read while the caller uses this one.
    await setImmediate();
  }
}

/** Reads the rows of blocks as objects with these columns in this order. */
export async function* rowsIn(blocks: AsyncIterable<RowBlock>, columns: readonly string[]): AsyncGenerator<JsonObject> {
  const rowAt = rowBuilder(columns);
  for await (const block of blocks) for (let row = 0; row < block.count; row++) yield rowAt(block.values, row);
}

async function* viewsOf({ log, chunks }: Store, { runId, step, steps, position, end }: RowsWanted): AsyncGenerator<View> {
  const reader = rowReader({ log, chunks, logId: runId, to: position, steps });
  for await (const page of log.readSuccesses(runId, { step, to: position })) {
    for (const success of page) {
      if (end !== null && success.batch >= end) continue;
      if (success.data.rows === 0) continue;
      reader.note(success);
      yield* reader.output(success);
    }
  }
}
