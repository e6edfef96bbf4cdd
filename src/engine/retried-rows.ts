import type { GraphState } from '../../projections/index.ts';
import { parsePlace, placeColumn, type ManifestStep, type RecordedEvent, type Span, type TriedAgain } from '../../schema/index.ts';
import { runLogId, type Store } from '../log/index.ts';
import {
  documentChunk,
  rejectedBatches,
  rejectedRowsReader,
  rowReader,
  SuccessLookup,
  type RejectedRow,
  type RowReader,
} from '../rows/index.ts';
import type { RetryPass } from '../scheduler/index.ts';

/** The rejected rows of a run that a new pass retries. */
export interface RetriedRows {
  readonly runId: string;
  readonly before: GraphState;
  /** The last position that is read. */
  readonly position: number;
  readonly manifest: readonly ManifestStep[];
  readonly isRetried: (row: RejectedRow) => boolean;
}

/** Numbers of the retried rows. */
export interface RetriedCounts {
  readonly rejected: RetryPass['rejected'];
  /** By step and batch, the number of rows, and the passes that rejected them. */
  readonly batches: ReadonlyMap<string, ReadonlyMap<number, RetriedBatch>>;
}

interface RetriedBatch {
  rows: number;
  readonly passes: number[];
}

/** Rows that one chunk names at most. A worker caches a few of these chunks, however many rows a pass has. */
const pageRowsMax = 10_000;

/** Counts the retried rows, without holding them in memory. */
export async function countRetried(store: Store, { runId, position, isRetried }: RetriedRows): Promise<RetriedCounts> {
  const groups = new Map<string, { readonly step: string; readonly code: string; rows: number }>();
  const steps = new Map<string, Map<number, RetriedBatch>>();
  for await (const { rows } of rejectedBatches(store, runId, position)) {
    for (const row of rows) {
      if (!isRetried(row)) continue;
      const { step, pass, batch, code } = row;
      const group = getOrMake(groups, JSON.stringify([step, code]), () => ({ step, code, rows: 0 }));
      const ofBatch = getOrMake(
        getOrMake(steps, step, () => new Map<number, RetriedBatch>()),
        batch,
        () => ({ rows: 0, passes: [] }),
      );
      group.rows++;
      ofBatch.rows++;
      if (ofBatch.passes.at(-1) !== pass) ofBatch.passes.push(pass);
    }
  }
  return { rejected: [...groups.values()], batches: steps };
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}

/** Returns a pass over rejected rows, with their numbers by step, cause and batch. Stores the chunks that name the rows. */
export async function storePass(
  store: Store,
  rows: RetriedRows,
  counts: RetriedCounts,
): Promise<Omit<RetryPass, 'steps' | 'codes' | 'until'>> {
  const { runId, position, manifest } = rows;
  const logId = runLogId(runId);
  const reader = rowReader({ log: store.log, chunks: store.chunks, logId, to: position, steps: manifest });
  const rejectedIn = await rejectedRowsReader(store, runId, position);
  const successes = new SuccessLookup({ log: store.log, logId, to: position, stepCount: 1, keepsRejections: true });
  const again: Record<string, [number, number][]> = {};
  const pages: { readonly step: string; readonly batch: number }[] = [];
  const chunks: string[] = [];
  const addPage = async (step: string, batches: TriedAgain[string]) => {
    const chunk = documentChunk({ [step]: batches } satisfies TriedAgain);
    await store.chunks.put([chunk]);
    chunks.push(chunk.sha256);
  };
  for (const [step, ofStep] of counts.batches) {
    const batches = [...ofStep].sort(([a], [b]) => a - b);
    let page: Record<string, readonly Span[]> = {};
    let rowsOfPage = 0;
    for (const [batch, { rows: count, passes }] of batches) {
      if (rowsOfPage > 0 && rowsOfPage + count > pageRowsMax) {
        await addPage(step, page);
        page = {};
        rowsOfPage = 0;
      }
      if (rowsOfPage === 0) pages.push({ step, batch });
      rowsOfPage += count;
      const spans: Span[] = [];
      for (const pass of passes) {
        const success = await successes.find({ pass, step, batch });
        if (success) spans.push(...(await inputSpans(reader, success, (await rejectedIn(success)).filter(rows.isRetried), rows)));
      }
      page[batch] = spans;
    }
    await addPage(step, page);
    again[step] = batches.map(([batch, { rows: count }]) => [batch, count]);
  }
  return { rejected: counts.rejected, again, pages, chunks };
}

/** Returns a pass over the rows that these steps owe, or null if there are none. A step owes the rows that it rejected before its reject limit paused the run. */
export async function findOwedPass(
  store: Store,
  { runId, before, manifest, steps }: Pick<RetriedRows, 'runId' | 'before' | 'manifest'> & { readonly steps: readonly string[] },
): Promise<RetryPass | null> {
  const until = Object.fromEntries(steps.map((name): [string, number] => [name, before.steps[name]?.owedUntil ?? 0]));
  const position = Math.max(0, ...Object.values(until));
  const isRetried = (row: RejectedRow) => Object.hasOwn(until, row.step) && row.position <= (until[row.step] ?? 0);
  const rows = { runId, before, position, manifest, isRetried };
  const counts = await countRetried(store, rows);
  if (counts.rejected.length === 0) return null;
  return { steps, codes: null, until, ...(await storePass(store, rows, counts)) };
}

/** Returns the spans of one batch's rejected rows in the output of the step above. */
async function inputSpans(
  reader: RowReader,
  { step, data }: RecordedEvent<'BatchSucceeded'>,
  rejected: readonly RejectedRow[],
  { before }: RetriedRows,
): Promise<readonly Span[]> {
  const upstream = before.steps[step]?.plan.upstream[0] ?? '';
  const places = await (await reader.input(step, data.inputs)).column(placeColumn(upstream));
  const runs: { readonly pass: number; readonly batch: number; readonly rows: number[] }[] = [];
  for (const { row } of rejected.toSorted((a, b) => a.row - b.row)) {
    const [pass, batch, at] = parsePlace(places[row]);
    const last = runs.at(-1);
    if (last?.pass === pass && last.batch === batch && (last.rows.at(-1) ?? at) < at) last.rows.push(at);
    else runs.push({ pass, batch, rows: [at] });
  }
  return runs.map(({ pass, batch, rows }): Span => {
    const first = rows[0] ?? 0;
    const end = (rows.at(-1) ?? first) + 1;
    const span: Span = { step: upstream, pass, from: [batch, first], to: [batch, end] };
    return end - first === rows.length ? span : { ...span, rows };
  });
}
