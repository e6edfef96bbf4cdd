import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { changedFiles, definitionDiff } from '../../../schema/index.ts';
import { incompatibility, pipeline, plan, type Plan } from '../../../src/pipeline/index.ts';

interface Variant {
  readonly all?: object;
  readonly map?: object;
  readonly filter?: object;
  readonly extra?: boolean;
  readonly sources?: readonly { readonly path: string; readonly text: string }[];
}

const file = { path: 'chain.ts', text: 'const prompt = 1;' };

function chain({ all: ofAll = {}, map = {}, filter = {}, extra = false, sources = [file] }: Variant = {}): Plan {
  const chained = pipeline('chain', ({ source }) => {
    const all = source('all', { output: z.object({ n: z.int() }), rows: [{ n: 1 }], ...ofAll });
    const twice = all.map('twice', { output: z.object({ twice: z.int() }), run: ({ n }) => ({ twice: 2 * n }), ...map });
    const even = twice.filter('even', { keep: ({ n }) => n % 2 === 0, ...filter });
    if (extra) even.select('only', ['n']);
  });
  return plan(chained, { sources: [...sources] });
}

const diff = (before: Variant, after: Variant) => definitionDiff(chain(before), chain(after));
const kinds = (before: Variant, after: Variant) => diff(before, after).map(({ step, kind, parts }) => [step, kind, ...parts]);
const reason = (before: Variant, after: Variant) => incompatibility(diff(before, after));

describe('two definitions', () => {
  it('that are equal have no differences', () => {
    expect(kinds({}, {})).toEqual([
      ['all', 'unchanged'],
      ['twice', 'unchanged'],
      ['even', 'unchanged'],
    ]);
    expect(reason({}, {})).toBeNull();
  });

  it.each<[string, object]>([
    ['code', { run: ({ n }: { n: number }) => ({ twice: n + n }) }],
    ['captures', { captures: { perTopic: 2 } }],
    ['options', { batchSize: 3 }],
    ['operator', { version: 2 }],
  ])('that differ in the %s of a step report it, and the steps that follow from it', (part, map) => {
    expect(kinds({}, { map })).toEqual([
      ['all', 'unchanged'],
      ['twice', 'changed', part],
      ['even', 'follows'],
    ]);
    const changes = diff({}, { map });
    expect(changes[1]?.signature).toBe(chain({ map }).manifest.steps[1]?.signature);
  });

  it('that replace other columns of the same rows cannot follow one another: what is stored has the old ones', () => {
    const a = z.object({ a: z.string() });
    const both = a.extend({ b: z.string() });
    const replacing = (replacesBoth: boolean) =>
      plan(
        pipeline('replacing', ({ source }) => {
          const all = source('all', { output: both, rows: [] });
          if (replacesBoth) all.replace('fixed', { output: both, run: (row) => row });
          else all.replace('fixed', { output: a, run: (row) => ({ a: row.a }) });
        }),
      );
    const changes = definitionDiff(replacing(false), replacing(true));
    expect(changes[1]).toMatchObject({ step: 'fixed', kind: 'changed', parts: expect.arrayContaining(['columns']) });
    expect(incompatibility(changes)).toBe('step fixed has other columns');
  });

  it('that differ in the columns of a step say so, and for the steps whose rows have them', () => {
    expect(kinds({}, { map: { output: z.object({ twice: z.number() }) } })).toEqual([
      ['all', 'unchanged'],
      ['twice', 'changed', 'columns'],
      ['even', 'changed', 'columns'],
    ]);
  });

  it('of which one has an additional step report that step', () => {
    expect(kinds({}, { extra: true }).at(-1)).toEqual(['only', 'added']);
    expect(kinds({ extra: true }, {}).at(-1)).toEqual(['only', 'removed']);
  });

  it('whose files alone differ may differ in every step', () => {
    const sources = [{ ...file, text: 'const prompt = 2;' }];
    expect(kinds({}, { sources })).toEqual([
      ['all', 'changed', 'sources'],
      ['twice', 'changed', 'sources'],
      ['even', 'changed', 'sources'],
    ]);
    expect(reason({}, { sources })).toBeNull();
  });

  it('whose files differ with a step differ in that step', () => {
    const sources = [{ ...file, text: 'const prompt = 2;' }];
    expect(kinds({}, { sources, filter: { keep: () => true } })).toEqual([
      ['all', 'unchanged'],
      ['twice', 'unchanged'],
      ['even', 'changed', 'code'],
    ]);
  });

  it('list files that were changed, added and removed', () => {
    const of = (...sources: Variant['sources'] & {}) => chain({ sources }).definition;
    expect(changedFiles(of(file), of(file))).toEqual([]);
    expect(
      changedFiles(
        of(file, { path: 'b.ts', text: '' }, { path: 'same.ts', text: '' }),
        of({ ...file, text: '' }, { path: 'a.ts', text: '' }, { path: 'same.ts', text: '' }),
      ),
    ).toEqual(['a.ts', 'b.ts', 'chain.ts']);
  });
});

describe('a run continues', () => {
  it('with other code, captures and files', () => {
    expect(reason({}, { map: { run: () => ({ twice: 0 }) } })).toBeNull();
    expect(reason({}, { map: { captures: { a: 1 } } })).toBeNull();
    expect(reason({}, { map: { retry: { attempts: 9 }, concurrency: 1 } })).toBeNull();
  });

  it.each<[string, Variant, RegExp]>([
    ['a step more', { extra: true }, /^step only was added$/],
    ['other columns', { map: { output: z.object({ twice: z.number() }) } }, /^step twice has other columns$/],
    ['other batches', { map: { batchSize: 3 } }, /^step twice has other batches \(batchSize\) or onError$/],
    ['another way with errors', { filter: { onError: 'fail' } }, /^step even has other batches \(batchSize\) or onError$/],
    ['another key', { all: { key: 'n' } }, /^step all has a different key$/],
    ['another version', { map: { version: 2 } }, /^step twice has other input or another operator$/],
  ])('not with %s', (_what, after, says) => {
    expect(reason({}, after)).toMatch(says);
  });

  it('if it was recorded by a version without keys', () => {
    const { manifest, definition } = chain({});
    const steps = manifest.steps.map(({ key: _key, ...step }) => step as typeof step & { readonly key: null });
    expect(incompatibility(definitionDiff({ manifest: { ...manifest, steps }, definition }, chain({})))).toBeNull();
  });

  it('not with a removed step', () => {
    expect(reason({ extra: true }, {})).toBe('step only was removed');
  });
});
