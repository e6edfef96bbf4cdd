// Losses, the history of a row, and whether a written dataset matches its log.
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createDistiset, losses, readMetadata, rowAt, traceRow, verifyDistiset, writeDistiset } from '../../../src/distiset/index.ts';
import { retryPipeline } from '../../../src/engine/index.ts';
import { resolveAsOf, type Store } from '../../../src/log/index.ts';
import { NonRetryableError, pipeline, plan, RetryableError } from '../../../src/pipeline/index.ts';
import { ran } from '../engine/engine.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Rows 0 to 19, asked by tens: 3 comes through the second time, 5 is never answered before it is mended; then every third is counted in pairs. */
function asking(outside: { isMended: boolean }) {
  return pipeline('asking', ({ source }) => {
    const rows = source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 20 }, (_, n) => ({ n })), batchSize: 10 });
    const asked = rows.map(
      'asked',
      {
        output: z.object({ answer: z.string() }),
        run: ({ n }, { attempt, usage }) => {
          usage({ model: 'oracle', inputTokens: n, thrownAway: n === 3 && attempt === 1 });
          if (n === 3 && attempt === 1) throw new RetryableError('not yet', { code: 'busy' });
          if (n % 10 === 5 && !outside.isMended) throw new NonRetryableError('no answer', { code: 'silent' });
          return { answer: `answer ${n}` };
        },
      },
      { retry: { backoffMs: 0 }, version: 1 },
    );
    asked.filter('third', { keep: ({ n }) => n % 3 === 0 }, { version: 1 });
    rows.batch(
      'pairs',
      { output: z.object({ sum: z.int() }), run: (pair) => [{ sum: pair.reduce<number>((sum, row) => sum + row.n, 0) }] },
      { batchSize: 2, version: 1 },
    );
  });
}

const headOf = async (store: Store, runId: string) => (await store.log.head(runId))?.position ?? 0;

/** A run that was tried again once mended, and where its first pass ended. */
async function twoPasses() {
  const outside = { isMended: false };
  const { store, runId } = await ran(asking(outside), { isRejectLimitLifted: true });
  const end = await headOf(store, runId);
  outside.isMended = true;
  await (await retryPipeline(store, plan(asking(outside)), { runId, acceptedChanges: [], concurrency: {} })).drive();
  return { store, runId, end, head: await headOf(store, runId) };
}

const shared = twoPasses();

describe('losses', () => {
  it('are rows, each with the input of the step', async () => {
    const { store, runId, end, head } = await shared;
    const lost = (await Array.fromAsync(losses(store, runId, end))).sort((a, b) => a.batch - b.batch);
    expect(lost).toMatchObject([
      { kind: 'row', step: 'asked', pass: 1, batch: 0, row: 5, code: 'silent', message: 'no answer', attempts: 1 },
      { kind: 'row', step: 'asked', pass: 1, batch: 1, row: 5, code: 'silent' },
    ]);
    expect(await Promise.all(lost.map(async (loss) => (loss.kind === 'row' ? loss.input() : null)))).toEqual([{ n: 5 }, { n: 15 }]);
    expect(await Array.fromAsync(losses(store, runId, head))).toEqual([]);
  });

  it.each([5, 50])('are read batch by batch: of two batches of %i rejected rows, each input is looked up once', async (size) => {
    const pipe = pipeline('lossy', ({ source }) => {
      const rows = source('rows', {
        output: z.object({ n: z.int() }),
        rows: Array.from({ length: 2 * size }, (_, n) => ({ n })),
        batchSize: size,
      });
      const run = (): { m: number } => {
        throw new NonRetryableError('no', { code: 'no' });
      };
      rows.map('lossy', { output: z.object({ m: z.int() }), run });
    });
    const { store, runId } = await ran(pipe, { isRejectLimitLifted: true });
    const end = await headOf(store, runId);
    const reads = [vi.spyOn(store.log, 'success'), vi.spyOn(store.log, 'readSuccesses'), vi.spyOn(store.chunks, 'get')];
    const inputs: unknown[] = [];
    for await (const lost of losses(store, runId, end)) if (lost.kind === 'row') inputs.push(await lost.input());
    expect(inputs).toEqual(Array.from({ length: 2 * size }, (_, n) => ({ n })));
    // The definition, and for each batch the success above it and its chunk; a long list of rejections is a chunk of its own.
    expect(reads.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBeLessThanOrEqual(10);
  });

  it('include batches that were given up, each with its whole input', async () => {
    const pipe = pipeline('strict', ({ source }) => {
      const rows = source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 6 }, (_, n) => ({ n })), batchSize: 3 });
      const strict = {
        output: z.object({ m: z.int() }),
        run: ({ n }: { n: number }) => {
          if (n === 4) throw new NonRetryableError('four', { code: 'four' });
          return { m: n };
        },
      };
      rows.map('strict', strict, { onError: 'fail' });
      rows.map('other', strict);
    });
    const { store, runId } = await ran(pipe);
    const [row, batch, ...more] = await Array.fromAsync(losses(store, runId, await headOf(store, runId)));
    expect(more).toEqual([]);
    expect(row).toMatchObject({ kind: 'row', step: 'other', batch: 1, row: 1 });
    expect(batch).toMatchObject({ kind: 'batch', step: 'strict', pass: 1, batch: 1, code: 'four', message: 'four', attempts: 1 });
    expect(batch?.kind === 'batch' && (await batch.inputs())).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }]);
  });

  it('find the input of a batch by searching back from its failure, near or far', async () => {
    const many = 800;
    const isOver = Promise.withResolvers<void>();
    const pipe = pipeline('long', ({ source }) => {
      const rows = source('rows', {
        output: z.object({ n: z.int() }),
        rows: Array.from({ length: many }, (_, n) => ({ n })),
        batchSize: 1,
      });
      const failsAt = (which: number, before: (n: number) => Promise<void> | void) => ({
        output: z.object({ m: z.int() }),
        run: async ({ n }: { n: number }) => {
          await before(n);
          if (n === which) throw new NonRetryableError('no', { code: 'no' });
          return { m: n };
        },
      });
      rows.map(
        'soon',
        failsAt(many - 1, (n) => (n === many - 1 ? isOver.resolve() : undefined)),
        { onError: 'fail', concurrency: 1 },
      );
      rows.map(
        'late',
        failsAt(0, (n) => (n === 0 ? isOver.promise : undefined)),
        { onError: 'fail' },
      );
    });
    const { store, runId } = await ran(pipe);
    const lost = await Array.fromAsync(losses(store, runId, await headOf(store, runId)));
    const read = vi.spyOn(store.log, 'read');
    const seen: (readonly [string, number, unknown])[] = [];
    for (const batch of lost) {
      read.mockClear();
      const inputs = batch.kind === 'batch' && (await batch.inputs());
      seen.push([batch.step, batch.position - Math.min(...read.mock.calls.map(([, range]) => range?.from ?? 1)), inputs]);
    }
    expect(seen.toSorted(([a], [b]) => a.localeCompare(b))).toEqual([
      ['late', expect.toSatisfy((positions: number) => positions > 2_000), [{ n: 0 }]],
      ['soon', 1_000, [{ n: many - 1 }]],
    ]);
  });

  it('of a source have no input, because it was never stored', async () => {
    const pipe = pipeline('odd', ({ source }) => {
      source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 'two' }, { n: 3 }] as never });
    });
    const { store, runId } = await ran(pipe, { isRejectLimitLifted: true });
    const [lost] = await Array.fromAsync(losses(store, runId, await headOf(store, runId)));
    expect(lost).toMatchObject({ kind: 'row', step: 'rows', row: 1 });
    expect(lost?.kind === 'row' && (await lost.input())).toBeNull();
  });
});

describe('a row’s place in its dataset', () => {
  it('is counted over batches and passes', async () => {
    const { store, runId, end, head } = await shared;
    expect(await rowAt(store, runId, 'asked', 0, end)).toEqual({ step: 'asked', pass: 1, batch: 0, row: 0 });
    expect(await rowAt(store, runId, 'asked', 8, end)).toEqual({ step: 'asked', pass: 1, batch: 0, row: 8 });
    expect(await rowAt(store, runId, 'asked', 9, end)).toEqual({ step: 'asked', pass: 1, batch: 1, row: 0 });
    expect(await rowAt(store, runId, 'asked', 18, head)).toEqual({ step: 'asked', pass: 2, batch: 0, row: 0 });
  });

  it('is refused beyond the last row, which is named', async () => {
    const { store, runId, end } = await shared;
    await expect(rowAt(store, runId, 'asked', 18, end)).rejects.toMatchObject({
      code: 'unknown-row',
      message: expect.stringMatching(/no row 18 up to position \d+: it has 18, the last of which is asked:17/) as string,
    });
    await expect(rowAt(store, runId, 'asked', 0, 1)).rejects.toMatchObject({ message: expect.stringContaining('it has none') as string });
    await expect(rowAt(store, runId, 'gone', 0, end)).rejects.toMatchObject({
      code: 'unknown-step',
      message: expect.stringContaining('Its steps: rows, asked, third, pairs') as string,
    });
  });
});

describe('a trace', () => {
  it('has the history of a row in each step, from the last to the source', async () => {
    const { store, runId, end } = await shared;
    const third = await traceRow(store, runId, { step: 'third', pass: 1, batch: 0, row: 1 }, end);
    expect(third).toMatchObject({ operator: 'filter', wrote: {}, failures: [], calls: [], rejections: [], madeOf: null });
    const [asked] = third.parents;
    expect(asked).toMatchObject({
      name: { step: 'asked', pass: 1, batch: 0, row: 3 },
      operator: 'map',
      wrote: { answer: 'answer 3' },
      madeOf: null,
      failures: [{ attempt: 1, error: { code: 'busy', message: 'not yet' } }],
      rejections: [],
    });
    expect(asked?.position).toBeGreaterThan(asked?.failures[0]?.position ?? Number.POSITIVE_INFINITY);
    expect(asked?.parents).toMatchObject([
      { name: { step: 'rows', pass: 1, batch: 0, row: 3 }, operator: 'source', wrote: { n: 3 }, parents: [] },
    ]);
  });

  it('has only the calls for the row', async () => {
    const { store, runId, end } = await shared;
    const asked = await traceRow(store, runId, { step: 'asked', pass: 1, batch: 0, row: 3 }, end);
    expect(asked.calls).toMatchObject([
      { model: 'oracle', row: 3, attempt: 1, inputTokens: 3, thrownAway: true },
      { model: 'oracle', row: 3, attempt: 2, inputTokens: 3, thrownAway: false },
    ]);
  });

  it('has the earlier passes that rejected the row', async () => {
    const { store, runId, head } = await shared;
    const rescued = await traceRow(store, runId, { step: 'asked', pass: 2, batch: 1, row: 0 }, head);
    expect(rescued).toMatchObject({
      wrote: { answer: 'answer 15' },
      rejections: [{ pass: 1, row: 5, code: 'silent', message: 'no answer', attempts: 1 }],
      parents: [{ name: { step: 'rows', pass: 1, batch: 1, row: 5 } }],
    });
  });

  it('has the number of input rows, if a row is made of many', async () => {
    const { store, runId, end } = await shared;
    const pair = await traceRow(store, runId, { step: 'pairs', pass: 1, batch: 2, row: 0 }, end);
    expect(pair).toMatchObject({ operator: 'batch', wrote: { sum: 9 }, madeOf: 2 });
  });

  it.each([
    [{ step: 'asked', pass: 1, batch: 0, row: 9 }, /no row 9 in batch 0 of step asked up to position \d+: that batch has 9 rows/],
    [{ step: 'asked', pass: 1, batch: 7, row: 0 }, /no such batch has succeeded/],
    [{ step: 'asked', pass: 3, batch: 0, row: 0 }, /in batch 0 of step asked, pass 3 up to/],
  ])('is refused for an unknown row: %o', async (row, message) => {
    const { store, runId, head } = await shared;
    await expect(traceRow(store, runId, row, head)).rejects.toMatchObject({
      code: 'unknown-row',
      message: expect.stringMatching(message) as string,
    });
  });

  it('is refused for an unknown step', async () => {
    const { store, runId, head } = await shared;
    await expect(traceRow(store, runId, { step: 'gone', pass: 1, batch: 0, row: 0 }, head)).rejects.toMatchObject({ code: 'unknown-step' });
  });
});

describe('a written dataset', () => {
  it('matches its log, even if that has grown', async () => {
    const { store, runId, end } = await shared;
    const directory = path.join(temporaryFolder(), 'dataset');
    const asOf = await resolveAsOf(store.log, runId, { kind: 'position', position: end });
    await writeDistiset(await createDistiset(store, runId, { asOf }), { directory, format: 'jsonl', distilog: 'test' });
    const found = { ok: true, runId, position: end, files: 2, rows: 16, differences: [] };
    expect(await verifyDistiset(store, directory)).toMatchObject(found);
  });

  it('is a folder with distilog.json in it', () => {
    const folder = temporaryFolder();
    expect(() => readMetadata(folder)).toThrow(expect.objectContaining({ code: 'not-a-distiset' }) as Error);
    fs.writeFileSync(path.join(folder, 'distilog.json'), '{');
    expect(() => readMetadata(folder)).toThrow(/is not a dataset that distilog wrote/);
  });
});
