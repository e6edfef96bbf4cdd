// A column that a source declares as its key: what keys and seeds are made of then, and what becomes of a row that repeats a value.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, type Columns, type Context, type Pipeline, type SourceStep } from '../../../src/pipeline/index.ts';
import { csv, jsonl, parquet } from '../../../src/steps/index.ts';
import { eventsOf, ran, resumed, rowsOf } from './engine.ts';

const output = z.object({ id: z.string(), n: z.int() });

/** A source of such rows, and the keys that a step below it was given, by `n`. */
function keyed(
  step: SourceStep<Columns>,
  options?: { readonly batchSize: number },
): { readonly of: Pipeline; readonly keys: Map<unknown, string> } {
  const keys = new Map<unknown, string>();
  const of = pipeline('keyed', ({ source }) => {
    source('rows', step as never, options).map('call', {
      output: z.object({ out: z.int() }),
      run: ({ n }: { readonly n: number }, { key, seed }: Context) => {
        keys.set(n, `${key.slice(key.indexOf('/') + 1)} ${seed}`);
        return { out: 1 };
      },
    } as never);
  });
  return { of, keys };
}

const rejectedIn = async (store: Parameters<typeof eventsOf>[0], runId: string) =>
  (await eventsOf(store, runId)).flatMap((event) => (event.type === 'BatchSucceeded' ? event.data.rejected.rows : []));

describe('a row of a source that declares a key', () => {
  it('has a key and seed made of it, so that a line inserted above it changes neither', async () => {
    const rows = Array.from({ length: 20 }, (_, n) => ({ id: `row ${n}`, n }));
    const before = keyed({ output, rows, key: 'id' });
    await ran(before.of);
    const after = keyed({ output, rows: [{ id: 'new', n: -1 }, ...rows], key: 'id' }, { batchSize: 3 });
    await ran(after.of);
    after.keys.delete(-1);
    expect(after.keys).toEqual(before.keys);
    expect(before.keys.get(3)).toMatch(/^call\/rows\/row%203 \d+$/);
  });

  it.each([
    ['a', 'a'],
    ['a/b', 'a%2Fb'],
    ['a.b@c~d', 'a%2Eb%40c%7Ed'],
    ['', ''],
    ['größe', 'gr%C3%B6%C3%9Fe'],
    ['x'.repeat(64), 'x'.repeat(64)],
    ['x'.repeat(65), expect.stringMatching(/^~[0-9a-f]{32}$/)],
    ['\ud800', expect.stringMatching(/^~[0-9a-f]{32}$/)],
    ['\ud801', expect.stringMatching(/^~[0-9a-f]{32}$/)],
  ])('whose value is %j has it in its key as a path may have it', async (id, text) => {
    const { of, keys } = keyed({ output, rows: [{ id, n: 0 }], key: 'id' });
    await ran(of);
    expect(
      keys
        .get(0)
        ?.replace(/^call\/rows\//, '')
        .replace(/ \d+$/, ''),
    ).toEqual(text);
  });

  it('is rejected if an earlier row of any batch has its value', async () => {
    const ids = ['a', 'b', 'a', 'c', 'd', 'b', 'e', 'a'];
    const { of, keys } = keyed({ output, rows: ids.map((id, n) => ({ id, n })), key: 'id' }, { batchSize: 3 });
    const { store, runId, rest } = await ran(of, { isRejectLimitLifted: true });
    expect(rest).toBe('partial');
    expect([...keys.keys()]).toEqual([0, 1, 3, 4, 6]);
    expect(await rejectedIn(store, runId)).toEqual([
      {
        row: 2,
        code: 'duplicate-key',
        message: 'item 3 has the key "a" in column id, which item 1 has already',
        attempts: 1,
      },
      expect.objectContaining({
        row: 2,
        code: 'duplicate-key',
        message: expect.stringContaining('item 6 has the key "b" in column id, which item 2 has already'),
      }),
      expect.objectContaining({
        row: 1,
        code: 'duplicate-key',
        message: expect.stringContaining('item 8 has the key "a" in column id, which item 1 has already'),
      }),
    ]);
  });

  it('is not rejected for the value of a rejected row', async () => {
    const rows = [{ id: 'a' }, { id: 'a', n: 1 }, { id: 'b', n: 'two' }, { id: 'b', n: 3 }] as never;
    const { of, keys } = keyed({ output, rows, key: 'id' });
    await ran(of, { isRejectLimitLifted: true });
    expect([...keys.keys()]).toEqual([1, 3]);
  });

  it('is rejected for the text of a number that is an earlier row’s key: both would have one key', async () => {
    const rows = [7, '7', 8, 7.5].map((id, n) => ({ id, n }));
    const { of, keys } = keyed({ output: z.object({ id: z.union([z.number(), z.string()]), n: z.int() }), rows, key: 'id' } as never);
    await ran(of, { isRejectLimitLifted: true });
    expect([...keys].map(([n, key]) => [n, key.split(' ')[0]])).toEqual([
      [0, 'call/rows/7'],
      [2, 'call/rows/8'],
      [3, 'call/rows/7%2E5'],
    ]);
  });

  it('is compared with all rows before it when another process continues', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `id${n % 25}`);
    let opened = 0;
    let pause: (() => void) | null = null;
    const { of, keys } = keyed(
      {
        output,
        key: 'id',
        read: function* ({ offset }) {
          opened++;
          for (let n = offset; n < ids.length; n++) {
            if (opened === 1 && n === 13) pause?.();
            yield { id: ids[n] as string, n };
          }
        },
      },
      { batchSize: 4 },
    );
    const store = memoryStore();
    const run = await startPipeline(store, plan(of), { seed: 1, isRejectLimitLifted: true });
    pause = () => run.stop({ kind: 'pause', reason: 'asked', message: '', step: null, actor: { user: '', host: '', pid: 1 } });
    expect(await run.drive()).toMatchObject({ rest: 'paused' });
    expect(await resumed(store, run.runId, of, { isRejectLimitLifted: true })).toBe('partial');
    expect(opened).toBe(2);
    expect([...keys.keys()].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 25 }, (_, n) => n));
    const rejected = await rejectedIn(store, run.runId);
    expect([rejected.length, new Set(rejected.map(({ code }) => code))]).toEqual([15, new Set(['duplicate-key'])]);
  });

  it('is not a duplicate of itself when its source failed and is read again', async () => {
    const ids = ['a', 'b', 'c', 'a', 'd', 'e', 'c', 'f'];
    let opened = 0;
    const { of, keys } = keyed(
      {
        output,
        key: 'id',
        retry: { backoffMs: 0 },
        read: function* ({ offset }) {
          opened++;
          for (let n = offset; n < ids.length; n++) {
            if (n === 5 && opened < 3) throw new Error('broken');
            yield { id: ids[n] as string, n };
          }
        },
      },
      { batchSize: 8 },
    );
    const { store, runId } = await ran(of, { isRejectLimitLifted: true });
    expect(opened).toBe(3);
    expect([...keys.keys()]).toEqual([0, 1, 2, 4, 5, 7]);
    expect((await rejectedIn(store, runId)).map(({ row, code }) => [row, code])).toEqual([
      [3, 'duplicate-key'],
      [6, 'duplicate-key'],
    ]);
  });

  it('keeps its key when columns are replaced, dropped and renamed below', async () => {
    const keys: string[] = [];
    await ran(
      pipeline('dropped', ({ source }) => {
        source('rows', { output, key: 'id', rows: [{ id: 'x', n: 1 }] })
          .replace('blank', { output: z.object({ id: z.string() }), run: () => ({ id: 'other' }) })
          .drop('bare', ['id'])
          .rename('named', { n: 'm' })
          .map('call', {
            output: z.object({ out: z.int() }),
            run: (_, { key }) => {
              keys.push(key.slice(key.indexOf('/') + 1));
              return { out: 1 };
            },
          });
      }),
    );
    expect(keys).toEqual(['call/rows/x']);
  });

  it('fails its source under onError fail', async () => {
    const { of } = keyed({ output, rows: ['a', 'a'].map((id, n) => ({ id, n })), key: 'id', onError: 'fail' });
    const { store, runId, rest } = await ran(of);
    expect(rest).toBe('failed');
    expect((await eventsOf(store, runId)).find(({ type }) => type === 'StepFailed')?.data).toMatchObject({
      error: { code: 'duplicate-key' },
    });
  });
});

describe('a file source', () => {
  it.each(['jsonl', 'csv', 'parquet'] as const)('of %s takes a key as other sources do', async (format) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-keys-'));
    try {
      const file = path.join(folder, `rows.${format}`);
      const ids = ['a', 'b', 'a'];
      if (format === 'jsonl') fs.writeFileSync(file, ids.map((id, n) => `${JSON.stringify({ id, n })}\n`).join(''));
      if (format === 'csv') fs.writeFileSync(file, `id,n\n${ids.map((id, n) => `${id},${n}\n`).join('')}`);
      if (format === 'parquet')
        parquetWriteFile({
          filename: file,
          columnData: [
            { name: 'id', data: ids, type: 'STRING' },
            { name: 'n', data: [0, 1, 2], type: 'INT32' },
          ],
        });
      const { of, keys } = keyed({ jsonl, csv, parquet }[format](file, { output, key: 'id' }) as never);
      const { store, runId } = await ran(of, { isRejectLimitLifted: true });
      expect([...keys.values()].map((key) => key.split(' ')[0])).toEqual(['call/rows/a', 'call/rows/b']);
      expect((await rejectedIn(store, runId)).map(({ code }) => code)).toEqual(['duplicate-key']);
      expect((await rowsOf(store, runId))['default']).toHaveLength(2);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('a definition whose key cannot identify rows', () => {
  it.each([
    ['no column', { output, key: 'ids' }, /key must be the name of a column, one of id, n, and is "ids"/],
    ['no text', { output, key: 3 }, /key must be the name of a column, one of id, n, and is 3/],
    [
      'may be null',
      { output: z.object({ id: z.string().nullable() }), key: 'id' },
      /column id cannot be the key: a key is a text or a number, and never null/,
    ],
    ['is a list', { output: z.object({ id: z.array(z.string()) }), key: 'id' }, /column id cannot be the key/],
    ['is anything', { output: z.object({ id: z.json() }), key: 'id' }, /column id cannot be the key/],
  ])('is refused: it %s', (_, step, message) => {
    expect(() => plan(keyed({ ...step, rows: [] } as never).of)).toThrow(message);
  });

  it.each([z.uuid(), z.enum(['a', 'b']), z.int(), z.union([z.string(), z.int()]), z.literal('a')])('is not, where it can', (id) => {
    expect(plan(keyed({ output: z.object({ id }), key: 'id', rows: [] } as never).of).manifest.steps[0]?.key).toBe('id');
  });
});
