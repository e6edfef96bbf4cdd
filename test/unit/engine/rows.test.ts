import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryStore } from '../../../src/log/index.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { pipeline, plan, RetryableError } from '../../../src/pipeline/index.ts';
import { eventsOf, ran, rowsOf } from './engine.ts';

const out = z.object({ out: z.int() });
const numbers = (total: number, batchSize = 10) => ({
  output: z.object({ n: z.int() }),
  rows: Array.from({ length: total }, (_, n) => ({ n })),
  batchSize,
});

describe('a row', () => {
  it('that failed is retried alone, and its neighbours are kept', async () => {
    const calls = new Map<number, number>();
    const { store, runId, rest } = await ran(
      pipeline('retries', ({ source }) => {
        source('rows', numbers(20)).map('call', {
          output: out,
          retry: { attempts: 3, backoffMs: 1 },
          run: ({ n }, { attempt }) => {
            calls.set(n, (calls.get(n) ?? 0) + 1);
            if (n === 4 && attempt < 3) throw new RetryableError('not yet');
            if (n === 14) throw new RetryableError('never', { code: 'overloaded' });
            return { out: n };
          },
        });
      }),
    );
    expect(rest).toBe('partial');
    // Whichever batch comes first.
    const again = [...calls].filter(([, count]) => count > 1).sort(([a], [b]) => a - b);
    expect(again).toEqual([
      [4, 3],
      [14, 3],
    ]);
    expect((await rowsOf(store, runId))['default']).toHaveLength(19);
    const success = (await eventsOf(store, runId)).find((event) => event.type === 'BatchSucceeded' && event.data.rejected.count > 0);
    expect(success?.data).toMatchObject({ rejected: { rows: [{ row: 4, code: 'overloaded', message: 'never', attempts: 3 }] } });
  });

  it('is retried at the time it asked for, even if its neighbours took longer', async () => {
    const { store, runId } = await ran(
      pipeline('later', ({ source }) => {
        source('rows', numbers(2)).map('call', {
          output: out,
          retry: { attempts: 2, backoffMs: 1 },
          run: async ({ n }, { attempt }) => {
            if (n === 0 && attempt === 1) throw new RetryableError('not yet', { retryAfterMs: 400 });
            await new Promise((resolve) => setTimeout(resolve, 300));
            return { out: n };
          },
        });
      }),
    );
    const failed = (await eventsOf(store, runId)).find((event) => event.type === 'BatchFailed');
    expect(failed?.data).toMatchObject({ pending: 1 });
    if (failed?.type === 'BatchFailed') expect(failed.data.retryInMs).toBeLessThan(150);
  });

  it('has the same key, seed and random numbers at every attempt, and in every run of the same seed', async () => {
    const seen: string[][] = [];
    const pipe = pipeline('seeds', ({ source }) => {
      source('rows', numbers(3)).map('call', {
        output: out,
        retry: { attempts: 2, backoffMs: 1 },
        run: ({ n }, { attempt, key, seed, random }) => {
          const facts = `${key.split('/').slice(1).join('/')} ${seed} ${random()}`;
          (seen[attempt] ??= []).push(facts);
          if (attempt === 1) throw new RetryableError('again');
          return { out: n };
        },
      });
    });
    await ran(pipe);
    expect(seen[2]).toEqual(seen[1]);
    expect(new Set(seen[1]).size).toBe(3);
    const before = seen[1];
    seen.length = 0;
    await ran(pipe);
    expect(seen[1]).toEqual(before);
  });

  it('reaches the next step as it was stored, and cannot be changed there', async () => {
    const { store, runId } = await ran(
      pipeline('frozen', ({ source }) => {
        source('rows', {
          output: z.object({ list: z.array(z.number()), nested: z.json() }),
          rows: [
            { list: [-0, 1], nested: { a: { b: 1 } } },
            { list: [], nested: null },
          ],
        }).map('call', {
          output: z.object({ zero: z.boolean() }),
          run: (row) => {
            if (row.nested !== null) (row.list as number[]).push(3);
            return { zero: Object.is(row.list[0], 0) };
          },
        });
      }),
    );
    expect((await rowsOf(store, runId))['default']).toEqual([{ list: [], nested: null, zero: false }]);
    const success = (await eventsOf(store, runId)).find((event) => event.type === 'BatchSucceeded' && event.step === 'call');
    expect(success?.data).toMatchObject({ rejected: { rows: [{ row: 0, code: 'type-error' }] } });
  });

  it('keeps text of every kind, keys of every name, and nesting of every depth', async () => {
    const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => ({ inner }), 'core');
    const texts = ['\u0000', '\ud800 alone', '\u{1F600}', '"\\\n\u2028', ''];
    const odd = JSON.parse('{"constructor": 2, "toString": {"x": 1}, "": 3}') as Record<string, unknown>;
    const columns = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`column${index}`, z.string()]));
    const wide = Object.fromEntries(Object.keys(columns).map((name) => [name, name]));
    const { store, runId, rest } = await ran(
      pipeline('odd', ({ source }) => {
        source('rows', {
          output: z.object({ text: z.string(), any: z.json(), ...columns }),
          rows: [
            ...texts.map((text) => ({ text, any: null, ...wide })),
            { text: 'deep', any: deep, ...wide },
            { text: 'odd', any: odd, ...wide },
          ] as never,
        }).filter('all', { keep: () => true });
      }),
    );
    expect(rest).toBe('succeeded');
    const rows = (await rowsOf(store, runId))['default'] ?? [];
    expect(rows.slice(0, texts.length).map(({ text }) => text)).toEqual(texts);
    expect(JSON.stringify(rows[texts.length]?.['any'])).toBe(JSON.stringify(deep));
    expect(JSON.stringify(rows.at(-1)?.['any'])).toBe('{"":3,"constructor":2,"toString":{"x":1}}');
    expect(rows[0]).toMatchObject(wide);
    expect(Object.keys(rows[0] ?? {})).toHaveLength(202);
  });

  it('of 10 MB is stored, and one of 20 MB rejected', async () => {
    const { store, runId } = await ran(
      pipeline('large', ({ source }) => {
        source('sizes', { output: z.object({ size: z.int() }), rows: [{ size: 10 }, { size: 20 }] })
          .map('text', { output: z.object({ text: z.string() }), run: ({ size }) => ({ text: 'x'.repeat(size * 1024 * 1024) }) })
          .select('only', ['text']);
      }),
    );
    const rows = (await rowsOf(store, runId))['default'] ?? [];
    expect(rows.map(({ text }) => (text as string).length)).toEqual([10 * 1024 * 1024]);
    const success = (await eventsOf(store, runId)).find((event) => event.type === 'BatchSucceeded' && event.step === 'text');
    expect(success?.data).toMatchObject({
      rejected: { rows: [{ row: 1, code: 'row-too-large', message: expect.stringMatching(/20\.0 MiB.*16\.0 MiB/) as string }] },
    });
  });

  it('loses undeclared keys, and the log names them once', async () => {
    const { store, runId } = await ran(
      pipeline('undeclared', ({ source }) => {
        source('rows', numbers(30)).map('call', { output: out, run: ({ n }) => ({ out: n, extra: 1 }) });
      }),
    );
    expect((await rowsOf(store, runId))['default']?.[0]).toEqual({ n: 0, out: 0 });
    const named = (await eventsOf(store, runId)).flatMap((event) => (event.type === 'BatchSucceeded' ? event.data.undeclared : []));
    expect(named).toEqual(['extra']);
  });

  it('among thousands of rejections is listed in a chunk, and the event stays small', async () => {
    const { store, runId } = await ran(
      pipeline('many', ({ source }) => {
        source('rows', numbers(2_000, 2_000)).map('call', {
          output: out,
          run: ({ n }): { out: number } => {
            throw Object.assign(new Error(`no ${n} ${'x'.repeat(200)}`), { retryable: false, code: `code-${n % 3}` });
          },
        });
      }),
      { isRejectLimitLifted: true },
    );
    const { rejectionsOf } = await import('../../../src/rows/index.ts');
    const success = (await eventsOf(store, runId)).find((event) => event.type === 'BatchSucceeded' && event.step === 'call');
    if (success?.type !== 'BatchSucceeded') throw new Error('no success');
    expect(success.data.rejected).toMatchObject({
      count: 2_000,
      inChunk: true,
      rows: [],
      codes: { 'code-0': 667, 'code-1': 667, 'code-2': 666 },
    });
    expect(await rejectionsOf(success, store.chunks)).toHaveLength(2_000);
  });
});

describe('a secret', () => {
  it('reaches no event, even if a step throws it', async () => {
    const store = memoryStore();
    const { secret } = await import('../../../src/pipeline/index.ts');
    const pipe = pipeline('secrets', { params: z.object({ apiKey: secret() }) }, ({ source, params }) => {
      source('rows', numbers(2)).map('call', {
        output: out,
        retry: { attempts: 1 },
        run: (): { out: number } => {
          throw new Error(`request with key ${params.apiKey} failed`);
        },
      });
    });
    const run = await startPipeline(store, plan(pipe, { params: { apiKey: 'canary-7f3a' } }), { seed: 1 });
    await run.drive();
    const stored =
      JSON.stringify([...store.log.logs.values()]) +
      [...store.chunks.bytes.values()].map((bytes) => Buffer.from(bytes).toString()).join('');
    expect(stored).toContain('request with key [secret] failed');
    expect(stored).not.toContain('canary-7f3a');
  });
});

describe('a step under onError fail', () => {
  it('ends at its lowest failed batch, whatever ran concurrently; the rows before it arrive below', async () => {
    const results = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const { store, runId, rest } = await ran(
        pipeline('fails', ({ source }) => {
          source('rows', numbers(100))
            .map('call', {
              output: out,
              onError: 'fail',
              retry: { attempts: 1 },
              run: async ({ n }) => {
                await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
                if (n === 55 || n === 85) throw new Error(`cannot ${n}`);
                return { out: n };
              },
            })
            .filter('below', { keep: () => true, batchSize: 7 });
        }),
      );
      expect(rest).toBe('failed');
      const events = await eventsOf(store, runId);
      expect(events.find(({ type }) => type === 'StepFailed')).toMatchObject({ step: 'call', data: { error: { message: 'cannot 55' } } });
      results.add(JSON.stringify(await rowsOf(store, runId)));
    }
    expect([...results].map((text) => (JSON.parse(text) as { default: unknown[] }).default.length)).toEqual([50]);
  });
});
