import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { resumePipeline, startPipeline } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, type Context } from '../../../src/pipeline/index.ts';
import { eventsOf, ran, resumed, rowsOf } from './engine.ts';

const one = z.object({ m: z.int() });

/** A step that asks twice for each row, the second time as `second` says. Counts what was asked. */
function asking(second: (context: Context, n: number) => unknown, version = 1) {
  const asked = new Map<string, number>();
  const count = (what: string) => asked.set(what, (asked.get(what) ?? 0) + 1);
  const of = pipeline('asking', ({ source }) => {
    source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 4 }, (_, n) => ({ n })), batchSize: 4 }).map(
      'asked',
      {
        output: one,
        version,
        run: async ({ n }, context) => {
          const first = await context.checkpoint('first', () => count(`${n}`).get(`${n}`) ?? 0);
          await second(context, n);
          return { m: first };
        },
      },
      { retry: { attempts: 3, backoffMs: 1 }, concurrency: 4 },
    );
  });
  return { of, asked };
}

describe('a checkpoint', () => {
  it('is made once, however often its row is tried', async () => {
    const { of, asked } = asking(({ attempt }, n) => {
      if (attempt <= n) throw new Error('not yet');
    });
    const { store, runId } = await ran(of);
    expect([...asked]).toEqual([0, 1, 2, 3].map((n) => [`${n}`, 1]));
    expect(await rowsOf(store, runId)).toEqual({ default: [0, 1, 2].map((n) => ({ n, m: 1 })) });
    const failures = (await eventsOf(store, runId)).filter(({ type }) => type === 'BatchFailed');
    // What a row needs no more is not written down.
    expect(failures).toMatchObject([{ data: { checkpoints: 3 } }, { data: { checkpoints: 0 } }]);
  });

  it('is kept when the driver is lost, if it was made at least a second before', async () => {
    const lost = Promise.withResolvers<void>();
    const { of, asked } = asking(async (_context, n) => {
      if (n === 2) await lost.promise;
    });
    const store = memoryStore();
    const run = await startPipeline(store, plan(of), { seed: 1 });
    const driving = run.drive().catch(codeOf);
    const recorded = async () => (await eventsOf(store, run.runId)).filter(({ type }) => type === 'BatchProgressed');
    await expect.poll(async () => (await recorded()).length).toBe(1);
    const options = { runId: run.runId, seize: true, acceptedChanges: [], concurrency: {}, skip: [] };
    const next = await resumePipeline(store, plan(of), options);
    lost.resolve();
    await next.drive();
    await driving;
    expect([...asked]).toEqual([0, 1, 2, 3].map((n) => [`${n}`, 1]));
    expect((await rowsOf(store, run.runId))['default']).toHaveLength(4);
    expect(await recorded()).toMatchObject([{ data: { checkpoints: 1 } }]);
  });

  it('is made again by changed code', async () => {
    const pausing = () => {
      throw Object.assign(new Error('no key'), { code: 'auth' });
    };
    const { of, asked } = asking(pausing);
    const { store, runId, rest } = await ran(of);
    expect(rest).toBe('paused');
    expect([...asked]).toEqual([0, 1, 2, 3].map((n) => [`${n}`, 1]));
    const same = asking(pausing);
    await resumed(store, runId, same.of);
    expect([...same.asked]).toEqual([]);
    const other = asking(() => null, 2);
    await resumed(store, runId, other.of, {
      acceptedChanges: [
        { step: 'asked', kind: 'changed', parts: ['version'], signature: plan(other.of).steps.get('asked')?.signature ?? '' },
      ],
    });
    expect([...other.asked]).toEqual([0, 1, 2, 3].map((n) => [`${n}`, 1]));
  });

  it('that is not JSON rejects its row, with the reason', async () => {
    const { store, runId } = await ran(
      pipeline('odd', ({ source }) => {
        source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 0 }] }).map(
          'asked',
          { output: one, run: async (_row, { checkpoint }) => ({ m: Number(await checkpoint('when', () => 10n)) }) },
          { retry: { attempts: 1 } },
        );
      }),
    );
    const rejected = (await eventsOf(store, runId)).flatMap((event) => (event.type === 'BatchSucceeded' ? event.data.rejected.rows : []));
    expect(rejected).toMatchObject([{ code: 'invalid-output', message: expect.stringContaining('Checkpoint "when" is not JSON') }]);
  });

  it.each(['mapBatch', 'batch', 'global'] as const)('belongs to the whole batch if a call gets many rows: %s', async (operator) => {
    let asked = 0;
    const run = async (rows: readonly object[] | AsyncIterable<object>, { attempt, checkpoint }: Context) => {
      const m = await checkpoint('asked', () => ++asked);
      if (attempt < 3) throw new Error('not yet');
      return (Array.isArray(rows) ? rows : [0, 1]).map(() => ({ m }));
    };
    const { store, runId } = await ran(
      pipeline('many', ({ source }) => {
        const rows = source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 0 }, { n: 1 }] });
        const options = { retry: { attempts: 3, backoffMs: 1 } };
        if (operator === 'mapBatch') rows.mapBatch('asked', { output: one, run }, options);
        else if (operator === 'batch') rows.batch('asked', { output: one, run }, options);
        else rows.global('asked', { output: one, run }, options);
      }),
    );
    expect(asked).toBe(1);
    expect((await rowsOf(store, runId))['default']).toMatchObject([{ m: 1 }, { m: 1 }]);
  });
});
