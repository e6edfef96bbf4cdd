import { setImmediate } from 'node:timers/promises';
import { assert } from '../kit/assert.ts';
import type { Json, JsonObject } from '../kit/json.ts';
import type { ManifestStep } from '../../schema/index.ts';
import type { Store } from '../log/index.ts';
import { bytesOf, columnsOf, rowBuilder, rowReader, type View } from '../rows/index.ts';
import { madeAhead } from './made-ahead.ts';

/** Some rows, one after the other, by column. */
export interface RowBlock {
  readonly count: number;
  /** The values of each column, one a row, in the order of the step's columns. */
  readonly values: readonly (readonly Json[])[];
}

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

/** Bytes (about) of blocks that are ready before they are used, and how many there may be: they ask for what they need together. */
const aheadBytesMax = 1024 * 1024;
const aheadMax = 2;

/**
 * The rows of a step in order (pass, batch, row), as of a position. Streamed: besides the block in use, 1 MiB of the next is held, one block at least, and
 * what they stem from, however long the run. Asked for again, at any later time, they are the same.
 */
export async function* leafBlocks(store: Store, wanted: RowsWanted): AsyncGenerator<RowBlock> {
  const blockOf = async (view: View): Promise<RowBlock> => {
    const values = await columnsOf(view, wanted.columns);
    assert(
      values.every(({ length }) => length === view.count),
      'every column has a value a row',
    );
    return { count: view.count, values };
  };
  const ahead = { weightOf: ({ values }: RowBlock) => bytesOf(values), weightMax: aheadBytesMax, countMax: aheadMax };
  for await (const block of madeAhead(viewsOf(store, wanted), blockOf, ahead)) {
    yield block;
    // Whatever else waits has its turn: so the next blocks are on their way while one is used.
    await setImmediate();
  }
}

/** The rows of blocks, as objects with these columns in this order. */
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
