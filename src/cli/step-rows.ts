import { beginning } from '../distiset/index.ts';
import { graph } from '../../projections/index.ts';
import type { RecordedEvent } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import type { JsonObject } from '../kit/json.ts';
import { foldAt, runLogId, type Store } from '../log/index.ts';
import { rowReader, rowsOf, type RowName } from '../rows/index.ts';

/** A row of a step, with its place and the position of the event that it came with. */
export interface StepRow extends RowName {
  readonly position: number;
  readonly values: JsonObject;
}

/** Which rows: so many from the start, from the end, or anywhere. */
export interface Choice {
  readonly which: 'first' | 'last' | 'random';
  readonly count: number;
}

/** One step's rows, as of a position. */
export interface StepRows {
  /** All columns, in order. */
  readonly columns: readonly string[];
  /** Chosen rows, in order (pass, batch, row). */
  chosen(choice: Choice): AsyncGenerator<StepRow>;
  /** All rows of one success. */
  of(success: RecordedEvent<'BatchSucceeded'>): Promise<readonly StepRow[]>;
}

/** Some rows of a batch: those from `from` up to, not including, `to`. */
interface Part {
  readonly success: RecordedEvent<'BatchSucceeded'>;
  readonly from: number;
  readonly to: number;
}

/** Looks at any step of a run, as of a position; `to`: what may be read of it, where that is later. Throws `Fault('unknown-step')`. */
export async function stepRows(
  store: Store,
  runId: string,
  { step, position, to = position }: { readonly step: string | undefined; readonly position: number; readonly to?: number | undefined },
): Promise<StepRows> {
  const logId = runLogId(runId);
  const [started, definition] = await beginning(store, logId);
  const state = await foldAt(store, graph, logId, position);
  const names = state.order.join(', ');
  if (step === undefined) throw new Fault('unknown-step', `Which step's rows? --step NAME; run ${runId} has ${names}.`);
  if (!Object.hasOwn(state.steps, step))
    throw new Fault('unknown-step', `Run ${runId} has no step ${step}. Its steps: ${names}.`, { details: { step } });
  const columns = definition.steps.find(({ name }) => name === step)?.columns.map(({ name }) => name) ?? [];
  const end = state.steps[step]?.end ?? null;
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId, to, steps: started.data.manifest.steps });

  const successes = async function* (): AsyncGenerator<RecordedEvent<'BatchSucceeded'>> {
    for await (const page of store.log.readSuccesses(logId, { step, to: position })) {
      for (const success of page) {
        // Batches beyond one that ended the step do not count.
        if (end !== null && success.batch >= end) continue;
        if (success.data.rows > 0) yield success;
      }
    }
  };
  const rowsIn = async ({ success, from, to: until }: Part): Promise<readonly StepRow[]> => {
    reader.note(success);
    const { pass, batch, position: at } = success;
    const found: StepRow[] = [];
    let first = 0;
    for await (const part of reader.output(success)) {
      const begin = Math.max(0, from - first);
      const rows = await rowsOf(part, columns, begin, Math.min(part.count, until - first));
      for (const [index, values] of rows.entries()) found.push({ step, pass, batch, row: first + begin + index, position: at, values });
      first += part.count;
      if (first >= until) break;
    }
    return found;
  };
  const choose = { first: firstParts, last: lastParts, random: randomParts };
  return {
    columns,
    chosen: async function* ({ which, count }) {
      for await (const part of choose[which](successes, count)) yield* await rowsIn(part);
    },
    of: (success) => rowsIn({ success, from: 0, to: success.data.rows }),
  };
}

type Successes = () => AsyncGenerator<RecordedEvent<'BatchSucceeded'>>;

async function* firstParts(successes: Successes, count: number): AsyncGenerator<Part> {
  let left = count;
  for await (const success of successes()) {
    yield { success, from: 0, to: Math.min(left, success.data.rows) };
    left -= success.data.rows;
    if (left <= 0) return;
  }
}

async function* lastParts(successes: Successes, count: number): AsyncGenerator<Part> {
  const kept: RecordedEvent<'BatchSucceeded'>[] = [];
  let rows = 0;
  for await (const success of successes()) {
    kept.push(success);
    rows += success.data.rows;
    for (let [oldest] = kept; oldest && rows - oldest.data.rows >= count; [oldest] = kept) {
      rows -= oldest.data.rows;
      kept.shift();
    }
  }
  for (const [index, success] of kept.entries())
    yield { success, from: index === 0 ? Math.max(0, rows - count) : 0, to: success.data.rows };
}

/** Each row is as likely as any other: the rows are counted, numbers are drawn, and only batches that are hit are read. */
async function* randomParts(successes: Successes, count: number): AsyncGenerator<Part> {
  let total = 0;
  for await (const { data } of successes()) total += data.rows;
  const numbers = drawn(total, Math.min(count, total));
  let first = 0;
  let next = 0;
  for await (const success of successes()) {
    for (; next < numbers.length && (numbers[next] ?? 0) < first + success.data.rows; next++) {
      const row = (numbers[next] ?? 0) - first;
      yield { success, from: row, to: row + 1 };
    }
    if (next === numbers.length) return;
    first += success.data.rows;
  }
}

/** So many different numbers below `total`, ascending (Floyd). */
function drawn(total: number, count: number): readonly number[] {
  const numbers = new Set<number>();
  for (let last = total - count; last < total; last++) {
    const number = Math.floor(Math.random() * (last + 1));
    numbers.add(numbers.has(number) ? last : number);
  }
  return [...numbers].sort((a, b) => a - b);
}
