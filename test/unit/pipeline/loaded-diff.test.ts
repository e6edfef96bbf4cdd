import { describe, expect, it } from 'vitest';
import { loadedDiff } from '../../../schema/index.ts';
import type { Loaded } from '../../../schema/index.ts';

const loaded = (
  packages: Readonly<Record<string, string | null>>,
  imports: Readonly<Record<string, string>> = {},
  more: string | null = null,
): Loaded => ({
  packages: Object.entries(packages).map(([key, sha256]) => {
    const [, name = '', version = ''] = /^(.+)@(.+)$/.exec(key) ?? [];
    return { name, version, sha256 };
  }),
  imports: Object.entries(imports).map(([name, to]) => ({ from: 'p.ts', name, to })),
  more: more === null ? null : { count: 1, sha256: more },
});

describe('a difference between loaded modules', () => {
  it.each([
    ['nothing', loaded({ 'a@1.0.0': 'x' }), loaded({ 'a@1.0.0': 'x' }), []],
    ['a version', loaded({ 'a@1.0.0': 'x' }), loaded({ 'a@1.0.1': 'y' }), ['a 1.0.0 → 1.0.1']],
    ['a scope', loaded({ '@s/a@1.0.0': 'x' }), loaded({ '@s/a@2.0.0': 'x' }), ['@s/a 1.0.0 → 2.0.0']],
    ['one of two', loaded({ 'a@1.0.0': 'x', 'a@2.0.0': 'y' }), loaded({ 'a@1.0.0': 'x' }), ['a 1.0.0, 2.0.0 → 1.0.0']],
    ['a come and a gone one', loaded({ 'a@1.0.0': 'x' }), loaded({ 'b@1.0.0': 'x' }), ['a 1.0.0 is gone', 'b 1.0.0 is new']],
    ['code', loaded({ 'a@1.0.0': 'x' }), loaded({ 'a@1.0.0': 'y' }), ['a 1.0.0: other code under the same version']],
    ['a named one, loaded', loaded({ 'a@1.0.0': null }), loaded({ 'a@1.0.0': 'y' }), []],
    ['a name', loaded({}, { '#p': 'a.ts' }), loaded({}, { '#p': 'b.ts' }), ['#p in p.ts: a.ts → b.ts']],
    [
      'names that swap',
      loaded({}, { '#a': 'a.ts', '#b': 'b.ts' }),
      loaded({}, { '#a': 'b.ts', '#b': 'a.ts' }),
      ['#a in p.ts: a.ts → b.ts', '#b in p.ts: b.ts → a.ts'],
    ],
    ['the rest', loaded({}, {}, 'x'), loaded({}, {}, 'y'), ['packages or imports beyond the first five hundred differ']],
  ])('is described in a line: %s', (_what, before, after, lines) => {
    expect(loadedDiff(before, after)).toEqual(lines);
  });
});
