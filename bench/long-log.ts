import { z } from 'zod';
import type { NewEvent } from '../schema/index.ts';
import { projections } from '../projections/index.ts';
import { newId } from '../src/kit/ids.ts';
import { encodeEvent, foldAll, openAppender, runLogId, snapshotting, type Appender, type Store } from '../src/log/index.ts';
import { pipeline, plan, type Plan } from '../src/pipeline/index.ts';
import { ChunkBuilder, documentChunk, type BuiltChunk } from '../src/rows/index.ts';

/** Rows in the source of a long log: more than any run of a benchmark reads. */
const sourceRows = 10_000_000;

/** Returns a pipeline of two steps with one row per batch: many events and few bytes. */
export const longLogPlan = (): Plan =>
  plan(
    pipeline('long-log', ({ source }) => {
      source('all', {
        output: z.object({ n: z.int() }),
        batchSize: 1,
        read: function* ({ offset }) {
          for (let n = offset; n < sourceRows; n++) yield { n };
        },
      }).map('text', { output: z.object({ text: z.string() }), run: ({ n }) => ({ text: `row ${n}` }) });
    }),
  );

const actor = { user: 'bench', host: 'bench', pid: 1 };
const writer = 'bench@bench:1';
/** Batches in one append. */
const batchesPerAppend = 250;
/** Events per batch: start and success, in both steps. */
const eventsPerBatch = 4;

/** A run whose driver was lost. */
export interface LongLog {
  readonly runId: string;
  /** The last position of its log. */
  readonly position: number;
}

/**
 * Writes the log of a run with many small batches without running it, in large appends, with the snapshots that a driver keeps. All batches have the same
 * rows, so a log of millions of events fits on a small disk.
 */
export async function makeLongLog(store: Store, events: number): Promise<LongLog> {
  const { manifest, definition } = longLogPlan();
  const runId = `long-log-${events}`;
  const logId = runLogId(runId);
  const definitionChunk = documentChunk(definition);
  const rows = { all: oneRow('n', '0', false), text: oneRow('text', '"row 0"', true) };
  await store.chunks.put([definitionChunk, rows.all.chunk, rows.text.chunk]);
  const started: NewEvent<'RunStarted'> = {
    type: 'RunStarted',
    chunks: [definitionChunk.sha256],
    data: { manifest, params: {}, secrets: [], seed: 1, seeds: 'origin', file: null, program: { distilog: '0', node: '0' }, actor },
  };
  const created = await store.log.create({
    logId,
    epoch: 1,
    appendId: newId(),
    expectedHash: null,
    writer,
    events: [encodeEvent(started)],
  });
  const opened = await store.log.openDriver(runId);
  if (!created.ok || !opened.ok) throw new Error('The run could not be created.');
  const snapshots = snapshotting(store, {
    folds: projections,
    logId,
    append: (events) => appender.append(events),
    start: { position: created.last, states: await foldAll<readonly unknown[]>(store, projections, logId, created.last) },
  });
  const appender: Appender = openAppender({
    log: store.log,
    runId,
    session: opened.session,
    epoch: 1,
    position: created.last,
    expectedHash: created.hash,
    writer,
    onRecorded: (recorded) => snapshots.recorded(recorded),
  });
  const steps = manifest.steps.map(
    ({ name }): NewEvent => ({ type: 'StepStarted', pass: 1, step: name, data: { count: null, origin: null } }),
  );
  await appender.append(steps);
  const batches = Math.floor((events - appender.position) / eventsPerBatch);
  for (let first = 0; first < batches; first += batchesPerAppend) {
    const made: NewEvent[] = [];
    for (let batch = first; batch < Math.min(batches, first + batchesPerAppend); batch++) {
      made.push(...batchOf('all', batch, rows.all), ...batchOf('text', batch, rows.text));
    }
    await appender.append(made);
  }
  await appender.close();
  await snapshots.close();
  return { runId, position: appender.position };
}

const oneRow = (column: string, value: string, hasParents: boolean): BuiltChunk => {
  const builder = new ChunkBuilder([column], hasParents);
  builder.add([value], 0, value.length);
  return builder.take(0);
};

/** Returns the start and the success of a batch of one row. */
function batchOf(step: 'all' | 'text', batch: number, { chunk }: BuiltChunk): readonly NewEvent[] {
  const isSource = step === 'all';
  const place = { pass: 1, step, batch, attempt: 1 };
  const inputs = isSource ? [] : [{ step: 'all', pass: 1, from: [batch, 0] as const, to: [batch, 1] as const }];
  return [
    {
      type: 'BatchStarted',
      ...place,
      data: { inputs, offset: isSource ? batch : 0, rows: 1, worker: writer, alone: false },
    },
    {
      type: 'BatchSucceeded',
      ...place,
      chunks: [chunk.sha256],
      data: {
        inputs,
        rowsIn: 1,
        rows: 1,
        chunkRows: [1],
        bytes: chunk.bytes.byteLength,
        rejected: { count: 0, codes: {}, rows: [], inChunk: false },
        elapsedMs: 1,
        usage: [],
        calls: 0,
        source: isSource ? { read: 1, last: false, mark: null, offset: batch } : null,
        undeclared: [],
        missing: [],
      },
    },
  ];
}
