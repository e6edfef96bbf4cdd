import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nameLengthMax, undeclaredMax } from '../../../schema/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from './engine.ts';

describe('undeclared keys', () => {
  it('are recorded up to a limit, however many and long they are', async () => {
    const keys = (n: number) =>
      Object.fromEntries(Array.from({ length: 200 }, (_, key) => [`${n}/${key}\u0000\ud800${'x'.repeat(50_000)}`, 1]));
    const { store, runId, rest } = await ran(
      pipeline('keys', ({ source }) => {
        source('all', { output: z.object({ n: z.int() }), batchSize: 2, rows: Array.from({ length: 6 }, (_, n) => ({ n })) }).map('odd', {
          output: z.object({ m: z.int() }),
          run: ({ n }) => ({ m: n, ...keys(n) }),
        });
      }),
    );
    expect(rest).toBe('succeeded');
    const named = (await eventsOf(store, runId)).flatMap((event) => (event.type === 'BatchSucceeded' ? event.data.undeclared : []));
    expect(named).toHaveLength(undeclaredMax);
    for (const key of named) {
      expect(key.length).toBeLessThanOrEqual(nameLengthMax);
      expect(key.isWellFormed() && !key.includes('\u0000')).toBe(true);
    }
  });
});

describe('params that no event holds', () => {
  it('are refused, with what to do instead', () => {
    const large = pipeline('large', { params: z.object({ text: z.string() }) }, ({ source }) => {
      source('all', { output: z.object({ n: z.int() }), rows: [] });
    });
    expect(() => plan(large, { params: { text: 'x'.repeat(5_000_000) } })).toThrow(
      /Pipeline large has steps of 1 KiB and params of 4883 KiB; a run records at most 4096 KiB of both\. Give large params as a file/,
    );
  });
});

describe('params that are nonsense', () => {
  it('are refused if their schema is not one, and if jsonb cannot hold their text', () => {
    const of = (member: unknown) =>
      pipeline('odd', { params: z.object({ text: member as z.ZodType }) }, ({ source }) => {
        source('all', { output: z.object({ n: z.int() }), rows: [] });
      });
    for (const member of [5, undefined, null, {}])
      expect(() => plan(of(member), { params: { text: 'x' } })).toThrow(/^Param text of pipeline odd is not a zod schema\. Write/);
    for (const text of ['\u0000', '\ud800', ['\u0000'], { '\u0000': 1 }])
      expect(() => plan(of(z.json()), { params: { text } })).toThrow(/^Param text has a NUL or half of a surrogate pair/);
  });
});
