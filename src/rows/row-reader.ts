import {
  givesRowsTwice,
  itemColumn,
  joinedColumn,
  originColumn,
  placeColumn,
  placeText,
  type ColumnOrigin,
  type ManifestStep,
  type RecordedEvent,
  type Span,
} from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { Fault } from '../kit/fault.ts';
import type { Json } from '../kit/json.ts';
import type { ChunkStore, EventLog } from '../log/index.ts';
import { batchChunks } from './batch-chunks.ts';
import { bytesOf, concatenated, lookedUp, madeLater, madeOnce, valuesAt, type View } from './batch-view.ts';
import { BoundedCache } from './bounded-cache.ts';
import { decodeChunk, type DecodedChunk } from './chunk-codec.ts';
import { itemsOf, originsOf, type Families, type OutputChunk } from './chunk-origins.ts';
import { branchView } from './branch-view.ts';
import type { Family } from './origins.ts';

/** What a reader has to know of a step. */
export type ReadStep = Pick<ManifestStep, 'name' | 'operator' | 'upstream' | 'adds' | 'from' | 'fork' | 'key'>;

/** Which batch: of which step, in which pass. */
export interface BatchName {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
}

/** Which output row of a batch, from 0. */
export interface RowName extends BatchName {
  readonly row: number;
}

/** Rows of batches, each with all its columns: a step stores the columns it adds, the others are its ancestors' and found through `inputs`. */
export interface RowReader {
  /** Tells of a success, so that it need not be looked up. */
  note(success: RecordedEvent<'BatchSucceeded'>): void;
  /** The output rows of a batch, in parts that are read one after the other. Throws `Fault('batch-missing')` if it did not succeed by then. */
  output(batch: BatchName): AsyncIterable<View>;
  /** The rows that an output row is made of: one, for a join one of each branch, none where it is made of many or comes from outside. */
  parents(row: RowName): Promise<readonly RowName[]>;
  /** The rows of a step's input, one span after the other; a column that a union's branch lacks is null there. */
  input(step: string, spans: readonly Span[]): Promise<View>;
  /** The same, in parts that are read one after the other: for inputs that are larger than memory. */
  inputParts(step: string, spans: readonly Span[]): AsyncIterable<View>;
}

/** Bytes (about) of the columns of views kept, those found in ancestors' included. */
const cachedBytesMax = 8 * 1024 * 1024;
/**
 * Outputs that a view is kept for after its last use, where one is read after the other: the next one may need what the last ones did. What is kept for longer
 * outlives the young generation, and the heap grows.
 */
const cachedOutputsMax = 2;
/** Successes kept, as a count. */
const cachedSuccessesMax = 500;

/** Successes that are read at once where one batch after the other is asked for. */
const readAheadMax = 50;

/** Ends of a `flatMap`'s chunks that are kept: those of the chunks before the ones that are read. */
const familiesMax = 200;

/** Batches kept open: a reader that goes on in order needs a few per ancestor. */
const openBatchesMax = 50;

interface OpenBatch {
  readonly event: RecordedEvent<'BatchSucceeded'>;
  readonly addresses: readonly string[];
  /** Values of a column that a chunk of it does not hold, which begins at output row `first`: looked for while the chunk is on its way. */
  readonly inherited: (name: string, chunk: Promise<DecodedChunk>, first: number) => Promise<readonly Json[]>;
}

interface Part {
  readonly view: View;
  readonly from: number;
  readonly to: number;
}

/** A reader of one run's rows as of a position. Its memory does not grow with the run. */
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
  /** Those of the run's manifest. */
  readonly steps: readonly ReadStep[];
}): RowReader {
  const views = new BoundedCache<View>(cachedBytesMax);
  const batches = new BoundedCache<Promise<OpenBatch>>(openBatchesMax);
  const successes = new BoundedCache<RecordedEvent<'BatchSucceeded'>>(cachedSuccessesMax);
  const byName = new Map(steps.map((step) => [step.name, step]));
  const twice = new Set(steps.filter((step) => givesRowsTwice(step, byName)).map(({ name }) => name));
  const families: Families = new BoundedCache<Family>(familiesMax);
  const key = ({ step, pass, batch }: BatchName) => `${step}/${pass}/${batch}`;

  const stepOf = (name: string): ReadStep => {
    const step = byName.get(name);
    assert(step, `the manifest has step ${name}`);
    return step;
  };

  // A run of many steps reads fewer of each: what is read must still be there when its turn comes.
  const readAhead = Math.min(readAheadMax, Math.floor(cachedSuccessesMax / (2 * steps.length)));

  /** Notes the successes that are likely to be asked for next, if this batch follows one that was. */
  const lookAhead = async ({ step, pass, batch }: BatchName) => {
    if (pass !== 1 || readAhead < 2 || !successes.get(key({ step, pass, batch: batch - 1 }))) return;
    for await (const page of log.readSuccesses(logId, { step, fromBatch: batch, to, pageMax: readAhead })) {
      for (const event of page) successes.set(key(event), event, 1);
      return;
    }
  };

  const success = async (batch: BatchName) => {
    if (!successes.get(key(batch))) await lookAhead(batch);
    const known = successes.get(key(batch)) ?? (await log.success(logId, { ...batch, to }));
    if (known) successes.set(key(batch), known, 1);
    return known;
  };

  /** A batch that succeeded, and where columns come from that it does not hold itself. */
  const open = async (batch: BatchName): Promise<OpenBatch> => {
    const event = await success(batch);
    if (!event)
      throw new Fault('batch-missing', `Batch ${batch.batch} of step ${batch.step} has no rows up to position ${to} of ${logId}.`, {
        details: { step: batch.step, batch: batch.batch },
      });
    const step = stepOf(batch.step);
    const { inputs } = event.data;
    return {
      event,
      addresses: batchChunks(event).rows,
      inherited: step.operator === 'join' ? joined(step, inputs) : following(step, inputs),
    };
  };

  const opened = (batch: BatchName): Promise<OpenBatch> => {
    const known = batches.get(key(batch)) ?? open(batch);
    batches.set(key(batch), known, 1);
    known.catch(() => batches.delete(key(batch)));
    return known;
  };

  const stored = async (batch: BatchName, index: number): Promise<DecodedChunk> => {
    const { addresses, event } = await opened(batch);
    return decodeChunk(await chunks.get(addresses[index] ?? ''), event.data.chunkRows[index]);
  };

  /**
   * The rows of one chunk of a batch, which is the batch's from output row `first` on. What it does not hold is looked for while it is on its way: chunks of
   * all steps come together, not one after the other.
   */
  const chunkView = async (batch: BatchName, index: number, first: number): Promise<View> => {
    const name = `${key(batch)}#${index}`;
    const { event, addresses, inherited } = await opened(batch);
    const known = views.get(name);
    if (known) return known;
    const chunk = madeOnce(() => stored(batch, index));
    const step = stepOf(batch.step);
    const { adds } = step;
    const { chunkRows, source } = event.data;
    const count = chunkRows[index] ?? 0;
    const place = placeColumn(batch.step);
    const output = (): OutputChunk => ({
      key: key(batch),
      step,
      batch: batch.batch,
      offset: source?.offset ?? null,
      chunkRows,
      index,
      first,
      chunkAt: (at) => (at === index ? chunk() : stored(batch, at)),
      inherited: (column) => inherited(column, chunk(), first),
    });
    const others = lookedUp(
      count,
      (column) => {
        if (column === originColumn) return originsOf(output(), families);
        if (column === itemColumn && step.operator === 'source') return itemsOf(output());
        if (column !== place) return inherited(column, chunk(), first);
        return Promise.resolve(Array.from({ length: count }, (_, row) => placeText([batch.pass, batch.batch, first + row])));
      },
      (values) => views.add(name, view, bytesOf(values)),
    );
    const view: View = {
      count,
      column: async (column) => (adds.includes(column) ? (await chunk()).columns.get(column) : undefined) ?? others.column(column),
    };
    views.set(name, view, 1024 + (2 * event.data.bytes) / addresses.length);
    return view;
  };

  /** The parts of a batch's output, one for each chunk, that hold rows from `from` up to, not including, `until`. */
  const outputParts = async function* (batch: BatchName, from: number, until: number): AsyncGenerator<Part> {
    const { event } = await opened(batch);
    let first = 0;
    for (const [index, rows] of event.data.chunkRows.entries()) {
      if (first >= until) return;
      const begin = first;
      if (begin + rows > from) {
        const view = madeLater(rows, () => chunkView(batch, index, begin));
        yield { view, from: Math.max(0, from - begin), to: Math.min(rows, until - begin) };
      }
      first += rows;
    }
  };

  /** Columns of a step whose rows stem from one input row each. */
  const following = (step: ReadStep, inputs: readonly Span[]): OpenBatch['inherited'] => {
    const input = shared(() => reader.input(step.name, inputs));
    return async (name, chunk, first) => {
      // A union's origins tell which branches have a column; they are heeded where its input is put together.
      const of = step.operator === 'union' ? name : (step.from.find(({ column }) => column === name)?.of ?? name);
      const [values, { parents, count }] = await Promise.all([input((view) => view.column(of)), chunk]);
      return valuesAt(values, parents, first, count);
    };
  };

  /** Columns of a join, whose rows stem from one row of each upstream step. */
  const joined = (step: ReadStep, inputs: readonly Span[]): OpenBatch['inherited'] => {
    const branches = step.upstream.map((upstream) =>
      shared(() =>
        reader.input(
          step.name,
          inputs.filter((span) => span.step === upstream),
        ),
      ),
    );
    const ofBranch = async (branch: number, name: string, chunk: Promise<DecodedChunk>): Promise<readonly Json[]> => {
      const [values, { columns, count }] = await Promise.all([branches[branch]?.((view) => view.column(name)), chunk]);
      const rows = columns.get(joinedColumn(branch)) as readonly number[] | undefined;
      assert(rows && values, 'a join tells the rows of each upstream step');
      return valuesAt(values, rows, 0, count);
    };
    return async (name, chunk) => {
      const origin: ColumnOrigin = step.from.find(({ column }) => column === name) ?? {
        column: name,
        of: name,
        upstream: [0],
        isList: false,
      };
      const values = await Promise.all(origin.upstream.map((branch) => ofBranch(branch, origin.of, chunk)));
      const [only] = values;
      assert(only, 'a joined column comes from somewhere');
      return origin.isList ? only.map((_, row) => Object.freeze(values.map((each) => each[row] as Json))) : only;
    };
  };

  const partsOf = async function* (name: string, spans: readonly Span[]): AsyncGenerator<Part> {
    const step = stepOf(name);
    for (const span of spans) {
      for await (const { batch, rows } of batchesOf(span)) {
        const name = { step: span.step, pass: span.pass, batch };
        const from = batch === span.from[0] ? span.from[1] : 0;
        const until = batch === span.to[0] ? Math.min(span.to[1], rows) : rows;
        for await (const { view, ...range } of outputParts(name, from, until))
          yield { view: step.operator === 'union' ? branchView(view, step, span.step, twice.has(step.name)) : view, ...range };
      }
    }
  };

  /** Where the n-th row of an input stands. */
  const located = async (spans: readonly Span[], index: number): Promise<RowName> => {
    let before = 0;
    for (const span of spans) {
      for await (const { batch, rows } of batchesOf(span)) {
        const from = batch === span.from[0] ? span.from[1] : 0;
        const until = batch === span.to[0] ? Math.min(span.to[1], rows) : rows;
        if (index >= 0 && index < before + until - from) return { step: span.step, pass: span.pass, batch, row: from + index - before };
        before += until - from;
      }
    }
    throw new Fault('row-missing', `An input has ${before} rows, and none of number ${index}.`);
  };

  /** Batches of a span that have rows. A batch inside it that fell through, or was given up, has none. */
  const batchesOf = async function* ({ step, pass, from, to: until }: Span): AsyncGenerator<{ batch: number; rows: number }> {
    const last = until[1] === 0 ? until[0] - 1 : until[0];
    for (let batch = from[0]; batch <= last; batch++) {
      const event = await success({ step, pass, batch });
      if (event && event.data.rows > 0) yield { batch, rows: event.data.rows };
    }
  };

  const reader: RowReader = {
    note: (event) => successes.set(key(event), event, 1),
    output: async function* (batch) {
      views.nextTurn(cachedOutputsMax);
      for await (const part of outputParts(batch, 0, Number.POSITIVE_INFINITY)) yield concatenated([part]);
    },
    parents: async ({ row, ...batch }) => {
      const { operator, upstream } = stepOf(batch.step);
      if (operator === 'source' || operator === 'batch' || operator === 'global') return [];
      const { event } = await opened(batch);
      const { inputs, chunkRows } = event.data;
      let first = 0;
      for (const [index, rows] of chunkRows.entries()) {
        if (row < first + rows) {
          const { columns, parents } = await stored(batch, index);
          const at = row - first;
          if (operator !== 'join') return [await located(inputs, parents === null ? row : (parents[at] ?? -1))];
          const rowsOf = (name: string) => inputs.filter((span) => span.step === name);
          return Promise.all(upstream.map((name, branch) => located(rowsOf(name), Number(columns.get(joinedColumn(branch))?.[at] ?? -1))));
        }
        first += rows;
      }
      throw new Fault('row-missing', `Batch ${batch.batch} of step ${batch.step} has ${first} rows, and none of number ${row}.`);
    },
    input: async (step, spans) => {
      const parts: Part[] = [];
      for await (const part of partsOf(step, spans)) parts.push(part);
      return concatenated(parts);
    },
    inputParts: async function* (step, spans) {
      for await (const part of partsOf(step, spans)) yield concatenated([part]);
    },
  };
  return reader;
}

/** Made once for all who use it at the same time, and let go of by the last of them: inputs of large rows are large. */
function shared<Made>(make: () => Promise<Made>): <Result>(use: (made: Made) => Promise<Result>) => Promise<Result> {
  let made: Promise<Made> | undefined;
  let users = 0;
  return async (use) => {
    made ??= make();
    users++;
    try {
      return await use(await made);
    } finally {
      users--;
      if (users === 0) made = undefined;
    }
  };
}
