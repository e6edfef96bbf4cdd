import { givesRowsTwice, joinedColumn, type RecordedEvent, type Span } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { Fault } from '../kit/fault.ts';
import type { ChunkStore, EventLog } from '../log/index.ts';
import type { BatchName, RowName } from './batch-name.ts';
import { concatViews, type View, type ViewPart } from './batch-view.ts';
import { branchView } from './branch-view.ts';
import { ChunkViews } from './chunk-views.ts';
import type { ReadStep } from './read-step.ts';
import { locateRow, rowRanges } from './row-ranges.ts';
import { succeededBatches } from './succeeded-batches.ts';
import { SuccessLookup } from './success-lookup.ts';

/** Reads rows of batches with all their columns. A step stores the columns that it adds; the others are read from its ancestors. */
export interface RowReader {
  /** Caches a success that the caller already has. */
  note(success: RecordedEvent<'BatchSucceeded'>): void;
  /** Yields the output rows of a batch, in parts. Throws `Fault('batch-missing')` if it has not succeeded as of the reader's position. */
  output(batch: BatchName): AsyncIterable<View>;
  /** Returns the rows that an output row is made from: one; for a join one of each branch; none for a source, `batch` or `global` step. */
  parents(row: RowName): Promise<readonly RowName[]>;
  /** Returns the rows of a step's input, one span after the other. A column that a union's branch lacks is null there. */
  input(step: string, spans: readonly Span[]): Promise<View>;
  /** Yields the rows of a step's input in parts, for inputs that are larger than memory. */
  inputParts(step: string, spans: readonly Span[]): AsyncIterable<View>;
}

/** Returns a reader of a run's rows as of position `to`. Its memory does not grow with the run. */
export function rowReader({
  log,
  chunks,
  logId,
  to,
  steps,
}: {
  readonly log: EventLog;
  readonly chunks: ChunkStore;
  readonly logId: string;
  readonly to: number;
  /** The steps of the run's manifest. */
  readonly steps: readonly ReadStep[];
}): RowReader {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const withRowsTwice = new Set(steps.filter((step) => givesRowsTwice(step, byName)).map(({ name }) => name));
  const stepOf = (name: string): ReadStep => {
    const step = byName.get(name);
    assert(step, `the manifest has step ${name}`);
    return step;
  };
  const successes = new SuccessLookup({ log, logId, to, stepCount: steps.length });
  const readInput = async (step: string, spans: readonly Span[]): Promise<View> => {
    const parts: ViewPart[] = [];
    for await (const part of inputParts(step, spans)) parts.push(part);
    return concatViews(parts);
  };
  const findBatch = succeededBatches({ chunks, successes, stepOf, readInput, asOf: { logId, to } });
  const views = new ChunkViews(findBatch, stepOf);

  async function* inputParts(name: string, spans: readonly Span[]): AsyncGenerator<ViewPart> {
    const step = stepOf(name);
    for await (const range of rowRanges(spans, successes)) {
      for await (const { view, ...part } of views.parts(range))
        yield { view: step.operator === 'union' ? branchView(view, step, range.step, withRowsTwice.has(name)) : view, ...part };
    }
  }

  return {
    note: (event) => successes.note(event),
    output: async function* (batch) {
      views.evictUnused();
      for await (const part of views.parts({ ...batch, from: 0, until: Number.POSITIVE_INFINITY })) yield concatViews([part]);
    },
    parents: async ({ row, ...batch }) => {
      const { operator, upstream } = stepOf(batch.step);
      if (operator === 'source' || operator === 'batch' || operator === 'global') return [];
      const { event, readChunk } = await findBatch(batch);
      const { inputs, chunkRows } = event.data;
      let first = 0;
      for (const [index, rows] of chunkRows.entries()) {
        if (row < first + rows) {
          const { columns, parents } = await readChunk(index);
          const at = row - first;
          if (operator !== 'join') return [await locateRow(inputs, parents === null ? row : (parents[at] ?? -1), successes)];
          const spansOf = (name: string) => inputs.filter((span) => span.step === name);
          return Promise.all(
            upstream.map((name, branch) => locateRow(spansOf(name), Number(columns.get(joinedColumn(branch))?.[at] ?? -1), successes)),
          );
        }
        first += rows;
      }
      throw new Fault('row-missing', `Batch ${batch.batch} of step ${batch.step} has ${first} rows, so it has no row ${row}.`);
    },
    input: readInput,
    inputParts: async function* (step, spans) {
      for await (const part of inputParts(step, spans)) yield concatViews([part]);
    },
  };
}
