import { afterEach, describe, expect, it, vi } from 'vitest';
import { heapFlags, createGarbageCollector } from '../../../src/cli/frugal-heap.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the garbage of an export', () => {
  it('can be collected on request, but not in commands that run user code', () => {
    expect(heapFlags('distiset')).toContain('--expose-gc');
    expect(heapFlags('run')).not.toContain('--expose-gc');
  });

  it('is collected after every eight million characters of rows', () => {
    const gc = vi.fn();
    vi.stubGlobal('gc', gc);
    const written = createGarbageCollector();
    const told = Array.from({ length: 25 }, () => {
      written(1024 * 1024);
      return gc.mock.calls.length;
    });
    expect([6, 7, 8, 14, 15, 24].map((index) => told[index])).toEqual([0, 1, 1, 1, 2, 3]);
  });

  it('is left to V8 without the flag', () => {
    vi.stubGlobal('gc', undefined);
    expect(() => createGarbageCollector()(100_000_000)).not.toThrow();
  });
});
