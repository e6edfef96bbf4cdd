import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDistiset } from '../../../src/distiset/index.ts';
import { resolveAsOf, runLogId, type Store } from '../../../src/log/index.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import type { JsonObject } from '../../../src/kit/json.ts';
import { eventsOf, ran, resumed } from '../engine/engine.ts';

const numbers = (total: number) => ({
  output: z.object({ n: z.int() }),
  rows: Array.from({ length: total }, (_, n) => ({ n })),
  batchSize: 10,
});
const hopeless = (message: string) => Object.assign(new Error(message), { code: 'unlucky', retryable: false });

/** The distiset of a run at a position, or at its head. */
async function distisetAt(store: Store, runId: string, position?: number, options: Partial<Parameters<typeof createDistiset>[2]> = {}) {
  const asked = position === undefined ? ({ kind: 'head' } as const) : ({ kind: 'position', position } as const);
  const asOf = await resolveAsOf(store.log, runLogId(runId), asked);
  return createDistiset(store, runId, { asOf, ...options });
}

const statesOf = ({ configs }: Awaited<ReturnType<typeof distisetAt>>) => configs.map(({ name, state }) => [name, state]);

/** Two sources: one has losses on its way, the other breaks after 25 rows. */
const mixed = pipeline('mixed', ({ source }) => {
  const called = source('all', numbers(100)).map('call', {
    output: z.object({ out: z.int() }),
    concurrency: 3,
    run: async ({ n }) => {
      await new Promise((resolve) => setTimeout(resolve, (n * 7) % 5));
      if (n % 10 === 3) throw hopeless('three');
      return { out: n };
    },
  });
  const breaking = source('breaking', {
    output: z.object({ b: z.int() }),
    batchSize: 10,
    async *rows() {
      for (let b = 0; b < 25; b++) yield { b };
      throw hopeless('the file ends in the middle');
    },
  });
  return {
    lossy: called.filter('lossy', { keep: () => true }),
    whole: source('other', numbers(30)).select('whole', ['n']),
    blocked: breaking.filter('blocked', { keep: () => true }),
  };
});

/** One run serves all tests, because they only read it. */
const mixedRun = ran(mixed);

const survivors = Array.from({ length: 100 }, (_, n) => ({ n, out: n })).filter(({ n }) => n % 10 !== 3);

describe('a distiset of a run', () => {
  it('has the state and the losses of each leaf', async () => {
    const { store, runId } = await mixedRun;
    const distiset = await distisetAt(store, runId);
    expect(statesOf(distiset)).toEqual([
      ['lossy', 'partial'],
      ['whole', 'finished'],
      ['blocked', 'blocked'],
    ]);
    const [lossy, whole, blocked] = distiset.configs;
    expect(lossy?.losses).toMatchObject([{ step: 'call', kind: 'rejected', count: 10 }]);
    expect(lossy).toMatchObject({ rowsCommitted: 90, sourceShare: 1, batches: { failed: 0, running: 0 } });
    expect(whole).toMatchObject({ rowsCommitted: 30, losses: [], batches: { failed: 0, running: 0 } });
    expect(blocked?.sourceShare).toBeNull();
    expect(distiset).toMatchObject({ runId, pipeline: 'mixed', seed: 1, leftOut: [] });
    const rows = await Promise.all(distiset.configs.map(async (config) => await Array.fromAsync(config.rows())));
    expect(rows[0]).toEqual(survivors);
    expect(rows[1]).toEqual(numbers(30).rows);
    expect(rows[2]).toEqual(Array.from({ length: rows[2]?.length ?? 0 }, (_, b) => ({ b })));
  });

  it('leaves out and lists unfinished leaves, if only finished ones are requested', async () => {
    const { store, runId } = await mixedRun;
    const distiset = await distisetAt(store, runId, undefined, { include: 'finished' });
    expect(statesOf(distiset)).toEqual([
      ['lossy', 'partial'],
      ['whole', 'finished'],
    ]);
    expect(distiset.leftOut).toEqual([{ name: 'blocked', step: 'blocked', state: 'blocked' }]);
    const early = await distisetAt(store, runId, 1, { include: 'finished' });
    expect(early.configs).toEqual([]);
    expect(early.leftOut.map(({ name, state }) => [name, state])).toEqual([
      ['lossy', 'not-started'],
      ['whole', 'not-started'],
      ['blocked', 'not-started'],
    ]);
  });

  it('can be created at every position: rows are only added, in order, and match its counts', { timeout: 60_000 }, async () => {
    const { store, runId } = await mixedRun;
    const head = (await eventsOf(store, runId)).length;
    let before: Record<string, readonly JsonObject[]> = {};
    for (let position = 1; position <= head; position++) {
      const distiset = await distisetAt(store, runId, position);
      const rows: Record<string, readonly JsonObject[]> = {};
      for (const config of distiset.configs) {
        const read = await Array.fromAsync(config.rows());
        rows[config.name] = read;
        if (config.state !== 'blocked' && config.state !== 'failed')
          expect([position, read.length]).toEqual([position, config.rowsCommitted]);
        const order = read.map((row) => Number(row['n'] ?? row['b']));
        expect(order).toEqual([...order].sort((a, b) => a - b));
        const now = new Set(order);
        for (const row of before[config.name] ?? []) expect(now.has(Number(row['n'] ?? row['b']))).toBe(true);
      }
      before = rows;
    }
    expect(before['lossy']).toEqual(survivors);
  });

  it('reads the same rows every time', async () => {
    const { store, runId } = await mixedRun;
    const [config] = (await distisetAt(store, runId)).configs;
    const first = await Array.fromAsync(config?.rows() ?? []);
    // Two interleaved reads do not affect each other.
    const [left, right] = [config?.rows()[Symbol.asyncIterator](), config?.rows()[Symbol.asyncIterator]()];
    const turns: unknown[][] = [[], []];
    for (let turn = 0; turn < 5; turn++) {
      turns[0]?.push((await left?.next())?.value);
      if (turn % 2 === 0) turns[1]?.push((await right?.next())?.value);
    }
    expect(turns).toEqual([first.slice(0, 5), first.slice(0, 3)]);
    expect(await Array.fromAsync(config?.rows() ?? [])).toEqual(first);
  });

  it('has the same rows by column', async () => {
    const { store, runId } = await mixedRun;
    for (const config of (await distisetAt(store, runId)).configs) {
      const rows = await Array.fromAsync(config.rows());
      const blocks = await Array.fromAsync(config.blocks());
      expect(blocks.reduce((sum, { count }) => sum + count, 0)).toBe(rows.length);
      for (const [index, { name }] of config.columns.entries())
        expect(blocks.flatMap(({ values }) => values[index])).toEqual(rows.map((row) => row[name]));
    }
  });

  it('has one config called default if the pipeline has one leaf', async () => {
    const { store, runId } = await ran(
      pipeline('one', ({ source }) => ({ some: source('all', numbers(25)).filter('some', { keep: ({ n }) => n < 3 }) })),
    );
    const { configs } = await distisetAt(store, runId);
    expect(configs.map(({ name, step }) => [name, step])).toEqual([['default', 'some']]);
    expect(await Array.fromAsync(configs[0]?.rows() ?? [])).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect((await distisetAt(store, runId, 1)).configs.map(({ name, state }) => [name, state])).toEqual([['default', 'not-started']]);
  });

  it('may be empty: a finished leaf without rows has its columns', async () => {
    const { store, runId } = await ran(
      pipeline('none', ({ source }) => ({ none: source('all', numbers(25)).filter('none', { keep: () => false }) })),
    );
    const { configs } = await distisetAt(store, runId);
    expect(configs).toMatchObject([{ name: 'default', state: 'finished', rowsCommitted: 0, columns: [{ name: 'n' }] }]);
    expect(await Array.fromAsync(configs[0]?.rows() ?? [])).toEqual([]);
  });

  it('lacks the rows of a batch that was given up, and reports it', async () => {
    const pipe = pipeline('skipped', ({ source }) => {
      const called = source('all', numbers(100)).map('call', {
        output: z.object({ out: z.int() }),
        concurrency: 50,
        run: async ({ n }) => {
          await new Promise((resolve) => setTimeout(resolve, n === 25 ? 200 : 1));
          if (n === 25) throw Object.assign(new Error('revoked'), { code: 'auth' });
          return { out: n };
        },
      });
      return { called };
    });
    const { store, runId, rest } = await ran(pipe);
    expect(rest).toBe('paused');
    await resumed(store, runId, pipe, { skip: [{ step: 'call', batch: 2 }] });
    const [config] = (await distisetAt(store, runId)).configs;
    expect(config).toMatchObject({ state: 'partial', rowsCommitted: 90, batches: { failed: 1, succeeded: 9, running: 0 } });
    expect(config?.losses).toMatchObject([{ step: 'call', kind: 'batch', count: 1, code: 'skipped' }]);
    const kept = numbers(100).rows.filter(({ n }) => n < 20 || n >= 30);
    expect(await Array.fromAsync(config?.rows() ?? [])).toEqual(kept.map(({ n }) => ({ n, out: n })));
  });

  it('ends before the batch that ended its step, even if later batches have arrived', async () => {
    const pipe = pipeline('ended', ({ source }) => {
      const called = source('all', numbers(100)).map('called', {
        output: z.object({ out: z.int() }),
        concurrency: 50,
        onError: 'fail',
        run: async ({ n }) => {
          await new Promise((resolve) => setTimeout(resolve, n === 25 ? 200 : 1));
          if (n === 25) throw hopeless('no');
          return { out: n };
        },
      });
      return { below: called.filter('below', { keep: () => true }) };
    });
    const { store, runId } = await ran(pipe);
    const distiset = await distisetAt(store, runId, undefined, { steps: ['called', 'below'] });
    expect(statesOf(distiset)).toEqual([
      ['called', 'failed'],
      ['below', 'blocked'],
    ]);
    expect(distiset.configs[0]?.batches.succeeded).toBeGreaterThan(2);
    for (const config of distiset.configs) {
      expect(await Array.fromAsync(config.rows())).toEqual(numbers(20).rows.map(({ n }) => ({ n, out: n })));
    }
  });

  it('shows any requested step, under its own name', async () => {
    const { store, runId } = await mixedRun;
    const { configs } = await distisetAt(store, runId, undefined, { steps: ['all', 'call'] });
    expect(configs.map(({ name, state, rowsCommitted }) => [name, state, rowsCommitted])).toEqual([
      ['all', 'finished', 100],
      ['call', 'partial', 90],
    ]);
    expect(await Array.fromAsync(configs[0]?.rows() ?? [])).toEqual(numbers(100).rows);
  });

  it('refuses a step, a run and a position that do not exist', async () => {
    const { store, runId } = await ran(pipeline('one', ({ source }) => ({ all: source('all', numbers(1)) })));
    await expect(distisetAt(store, runId, undefined, { steps: ['all', 'nowhere'] })).rejects.toMatchObject({
      code: 'unknown-step',
      message: `Run ${runId} has no step nowhere. Its steps: all.`,
    });
    await expect(distisetAt(store, runId, undefined, { steps: ['constructor'] })).rejects.toMatchObject({ code: 'unknown-step' });
    await expect(distisetAt(store, 'nobody')).rejects.toMatchObject({ code: 'unknown-run' });
    const asOf = { position: 1, recordedAt: '2026-01-01T00:00:00.000000Z', hash: '' };
    await expect(createDistiset(store, 'nobody', { asOf })).rejects.toMatchObject({ code: 'unknown-run' });
    await expect(distisetAt(store, runId, 9_999)).rejects.toMatchObject({ code: 'as-of-beyond-head' });
  });
});
