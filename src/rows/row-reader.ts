import { joinedColumn, placeColumn, placeText, type ColumnOrigin, type ManifestStep, type RecordedEvent, type Span } from '#schema';
import { assert } from '#kit/assert';
import { Fault } from '#kit/fault';
import type { Json } from '#kit/json';
import type { ChunkStore, EventLog } from '#log';
import { batchChunks } from './batch-chunks.ts';
import { concatenated, lookedUp, valuesAt, type View } from './batch-view.ts';
import { BoundedCache } from './bounded-cache.ts';
import { decodeChunk } from './chunk-codec.ts';

/** What a reader has to know of a step. */
export type ReadStep = Pick<ManifestStep, 'name' | 'operator' | 'upstream' | 'from'>;

/** Which batch: of which step, in which pass. */
export interface BatchName {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
}

/** Which output row of a batch. */
export interface RowName extends BatchName {
  readonly row: number;
}

/** Rows of batches, each with all its columns: a step stores the columns it adds, the others are its ancestors' and found through `inputs`. */
export interface RowReader {
  /** Tells of a success, so that it need not be looked up. */
  note(success: RecordedEvent<'BatchSucceeded'>): void;
  /** The output rows of a batch. Throws `Fault('batch-missing')` if it did not succeed up to the reader's position. */
  output(batch: BatchName): Promise<View>;
  /** The rows that an output row is made of: one, for a join one of each branch, none where it is made of many or comes from outside. */
  parents(row: RowName): Promise<readonly RowName[]>;
  /** The rows of a step's input, one span after the other; a column that a union's branch lacks is null there. */
  input(step: string, spans: readonly Span[]): Promise<View>;
  /** The same, in parts that are read one after the other: for inputs that are larger than memory. */
  inputParts(step: string, spans: readonly Span[]): AsyncIterable<View>;
}

/** Bytes (uncompressed, estimated by their chunks') of views kept; a reader that goes on in order needs one or two batches per ancestor. */
const cachedBytesMax = 8 * 1024 * 1024;
/** Successes kept, as a count. */
const cachedSuccessesMax = 500;

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
  const views = new BoundedCache<Promise<View>>(cachedBytesMax);
  const successes = new BoundedCache<RecordedEvent<'BatchSucceeded'>>(cachedSuccessesMax);
  const byName = new Map(steps.map((step) => [step.name, step]));
  const key = ({ step, pass, batch }: BatchName) => `${step}/${pass}/${batch}`;

  const stepOf = (name: string): ReadStep => {
    const step = byName.get(name);
    assert(step, `the manifest has step ${name}`);
    return step;
  };

  const success = async (batch: BatchName) => {
    const known = successes.get(key(batch)) ?? (await log.success(logId, { ...batch, to }));
    if (known) successes.set(key(batch), known, 1);
    return known;
  };

  const read = async (batch: BatchName): Promise<View> => {
    const event = await success(batch);
    if (!event)
      throw new Fault('batch-missing', `Batch ${batch.batch} of step ${batch.step} has no rows up to position ${to} of ${logId}.`, {
        details: { step: batch.step, batch: batch.batch },
      });
    const { count, own, parents } = await stored(event);
    const step = stepOf(batch.step);
    const inherited = step.operator === 'join' ? joined(step, event.data.inputs, own) : following(step, event.data.inputs, count, parents);
    const place = placeColumn(step.name);
    return lookedUp(count, (name) => {
      const values = own.get(name);
      if (values) return Promise.resolve(values);
      if (name !== place) return inherited(name);
      return Promise.resolve(Array.from({ length: count }, (_, row) => placeText([batch.pass, batch.batch, row])));
    });
  };

  /** What a batch's own chunks hold. */
  const stored = async (event: RecordedEvent<'BatchSucceeded'>) => {
    const parts = await Promise.all(batchChunks(event).rows.map(async (address) => decodeChunk(await chunks.get(address))));
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const [only] = parts;
    if (parts.length === 1 && only) return { count, own: only.columns, parents: only.parents };
    const own = new Map<string, Json[]>();
    for (const part of parts) for (const [name, values] of part.columns) own.set(name, [...(own.get(name) ?? []), ...values]);
    let first = 0;
    const parents = parts.flatMap((part) => {
      const rows = part.parents ?? Array.from({ length: part.count }, (_, row) => first + row);
      first += part.count;
      return rows;
    });
    return { count, own, parents: parts.every((part) => part.parents === null) ? null : parents };
  };

  /** Columns of a step whose rows stem from one input row each. */
  const following = (step: ReadStep, inputs: readonly Span[], count: number, parents: readonly number[] | null) => {
    const input = once(() => reader.input(step.name, inputs));
    return async (name: string): Promise<readonly Json[]> => {
      // A union's origins tell which branches have a column; they are heeded where its input is put together.
      const of = step.operator === 'union' ? name : (step.from.find(({ column }) => column === name)?.of ?? name);
      return valuesAt(await (await input()).column(of), parents, count);
    };
  };

  /** Columns of a join, whose rows stem from one row of each upstream step. */
  const joined = (step: ReadStep, inputs: readonly Span[], own: ReadonlyMap<string, readonly Json[]>) => {
    const branches = step.upstream.map((upstream) =>
      once(() =>
        reader.input(
          step.name,
          inputs.filter((span) => span.step === upstream),
        ),
      ),
    );
    const ofBranch = async (branch: number, name: string): Promise<readonly Json[]> => {
      const rows = own.get(joinedColumn(branch)) as readonly number[] | undefined;
      const view = await branches[branch]?.();
      assert(rows && view, 'a join tells the rows of each upstream step');
      return valuesAt(await view.column(name), rows, rows.length);
    };
    return async (name: string): Promise<readonly Json[]> => {
      const origin: ColumnOrigin = step.from.find(({ column }) => column === name) ?? {
        column: name,
        of: name,
        upstream: [0],
        isList: false,
      };
      const values = await Promise.all(origin.upstream.map((branch) => ofBranch(branch, origin.of)));
      const [first] = values;
      assert(first, 'a joined column comes from somewhere');
      return origin.isList ? first.map((_, row) => Object.freeze(values.map((each) => each[row] as Json))) : first;
    };
  };

  const partsOf = async function* (name: string, spans: readonly Span[]): AsyncGenerator<Part> {
    const step = stepOf(name);
    for (const span of spans) {
      for await (const { batch, rows } of batchesOf(span)) {
        const view = await reader.output({ step: span.step, pass: span.pass, batch });
        const from = batch === span.from[0] ? span.from[1] : 0;
        const until = batch === span.to[0] ? Math.min(span.to[1], rows) : rows;
        yield { view: step.operator === 'union' ? completed(view, step, span.step) : view, from, to: until };
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
    output: async (batch) => {
      const known = views.get(key(batch));
      if (known) return known;
      const bytes = (await success(batch))?.data.bytes ?? 0;
      const view = views.get(key(batch)) ?? read(batch);
      views.set(key(batch), view, 1024 + 2 * bytes);
      view.catch(() => views.delete(key(batch)));
      return view;
    },
    parents: async ({ row, ...batch }) => {
      const event = await success(batch);
      const { operator, upstream } = stepOf(batch.step);
      if (!event || operator === 'source' || operator === 'batch' || operator === 'global') return [];
      const { own, parents } = await stored(event);
      const { inputs } = event.data;
      if (operator !== 'join') return [await located(inputs, parents === null ? row : (parents[row] ?? -1))];
      return Promise.all(
        upstream.map((name, branch) =>
          located(
            inputs.filter((span) => span.step === name),
            Number(own.get(joinedColumn(branch))?.[row] ?? -1),
          ),
        ),
      );
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

/** A branch's rows as its union has them: a column that the branch lacks is null. */
function completed(view: View, union: ReadStep, branch: string): View {
  const index = union.upstream.indexOf(branch);
  const isLacking = (name: string) => union.from.some(({ column, upstream }) => column === name && !upstream.includes(index));
  return {
    count: view.count,
    column: (name) => (isLacking(name) ? Promise.resolve(Array.from({ length: view.count }, () => null)) : view.column(name)),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
