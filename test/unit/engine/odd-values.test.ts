import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline, plan, resource, type Pipeline } from '../../../src/pipeline/index.ts';
import { isStorable } from '../../../schema/index.ts';
import { oddValue, oddValues } from '../odd-values.ts';
import { eventsOf, ran } from './engine.ts';

const out = z.object({ out: z.int() });
const numbers = (total: number) => ({
  output: z.object({ n: z.int() }),
  rows: Array.from({ length: total }, (_, n) => ({ n })),
  batchSize: 4,
});
const retry = { attempts: 1 };

/** A way for a value to leave user code, and the pipeline in which row 1 of 3 does so. */
const ways: Readonly<Record<string, (odd: () => unknown) => Pipeline>> = {
  'thrown by a map': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).map('call', { output: out, retry, run: ({ n }) => (n === 1 ? thrown(odd()) : { out: n }) });
    }),
  'rejected by a map': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).map('call', {
        output: out,
        retry,
        run: async ({ n }) => (n === 1 ? thrown(odd()) : await Promise.resolve({ out: n })),
      });
    }),
  'returned by a map': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).map('call', { output: out, retry, run: ({ n }) => (n === 1 ? (odd() as { out: number }) : { out: n }) });
    }),
  'thrown by a filter': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).filter('call', { retry, keep: ({ n }) => (n === 1 ? thrown(odd()) : true) });
    }),
  'returned by a filter': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).filter('call', { retry, keep: ({ n }) => (n === 1 ? (odd() as boolean) : true) });
    }),
  'yielded by a flatMap': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).flatMap('call', {
        output: out,
        retry,
        run: ({ n }) => [n === 1 ? (odd() as { out: number }) : { out: n }],
      });
    }),
  'in a row’s place of a mapBatch': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).mapBatch('call', {
        output: out,
        retry,
        run: (rows) => rows.map(({ n }) => (n === 1 ? (odd() as { out: number }) : { out: n })),
      });
    }),
  'thrown by a checkpoint': (odd) =>
    pipeline('p', ({ source }) => {
      source('rows', numbers(3)).map('call', {
        output: out,
        retry,
        run: async ({ n }, { checkpoint }) => ({ out: await checkpoint('made', () => (n === 1 ? thrown(odd()) : n)) }),
      });
    }),
  'in a row’s place of a source': (odd) =>
    pipeline('p', ({ source }) => {
      source('call', { output: z.object({ out: z.int() }), retry, rows: () => [{ out: 0 }, odd() as { out: number }, { out: 2 }] });
    }),
};

function thrown(value: unknown): never {
  throw value;
}

/** Rows that a pipeline loses, by cause; fails where its run does not end as runs do. */
async function lostBy(of: Pipeline): Promise<readonly { readonly code: string; readonly message: string }[]> {
  const { store, runId, rest } = await ran(of);
  expect(['succeeded', 'partial', 'paused']).toContain(rest);
  const events = await eventsOf(store, runId);
  expect(events.every(({ data }) => isStorable(data))).toBe(true);
  expect(events.every(({ data }) => Buffer.byteLength(JSON.stringify(data)) < 64 * 1024)).toBe(true);
  return events.flatMap((event) => (event.type === 'BatchSucceeded' ? event.data.rejected.rows : []));
}

describe.each(Object.entries(ways))('a value that is %s', (way, pipelineOf) => {
  it.each(Object.entries(oddValues))('rejects its row and nothing else: %s', async (_name, odd) => {
    const lost = await lostBy(pipelineOf(odd));
    if (way.startsWith('thrown') || way.startsWith('rejected')) expect(lost).toHaveLength(1);
    else expect(lost.length).toBeLessThanOrEqual(1);
    for (const { code, message } of lost) {
      expect(code).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/);
      expect(message.length).toBeGreaterThan(0);
    }
  });

  it('rejects at most its row, for any value', async () => {
    await fc.assert(
      fc.asyncProperty(oddValue, async (odd) => {
        expect((await lostBy(pipelineOf(odd))).length).toBeLessThanOrEqual(1);
      }),
      { seed: 14, numRuns: 60 },
    );
  });
});

describe('an odd value outside of rows', () => {
  it.each(Object.entries(oddValues))('is recorded, and the run rests, if a resource throws it: %s', async (_name, odd) => {
    const client = resource('client', () => thrown(odd()));
    const of = pipeline('p', ({ source }) => {
      source('rows', { ...numbers(2), count: () => thrown(odd()) }).map('call', {
        output: out,
        retry,
        run: async (_row, { use }) => ({ out: await use<number>(client) }),
      });
    });
    expect((await ran(of)).rest).toBe('paused');
  });

  it.each(Object.entries(oddValues))('fails the step whose source throws it: %s', async (_name, odd) => {
    const of = pipeline('p', ({ source }) => {
      source('rows', { output: out, retry, read: () => thrown(odd()) });
    });
    expect((await ran(of)).rest).toBe('failed');
  });

  it.each(Object.entries(oddValues))('is reported as a fault of the definition that throws it: %s', (_name, odd) => {
    expect(() => plan(pipeline('p', () => thrown(odd())))).toThrow(expect.objectContaining({ code: 'invalid-pipeline' }));
  });
});
