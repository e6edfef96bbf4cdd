import { describe, expect, it } from 'vitest';
import { pageSizes } from '../../../src/postgres/queries/event-pages.ts';

const page = (events: number, length: number) => Array.from({ length: events }, () => ({ data: 'x'.repeat(length) }));

/** Reads pages of events of one length, and returns how many each held. */
function sizesOf(pages: number, length: number, most?: number): readonly number[] {
  const sizes = pageSizes(most);
  return Array.from({ length: pages }, () => {
    const size = sizes.next();
    expect(sizes.wasLast(page(size, length))).toBe(false);
    return size;
  });
}

describe('pages of events', () => {
  it('grow while their data is short', () => {
    expect(sizesOf(4, 200)).toEqual([250, 500, 1_000, 1_000]);
  });

  it('hold about four megabytes where their data is long', () => {
    expect(sizesOf(3, 64 * 1024)).toEqual([250, 64, 64]);
    expect(sizesOf(2, 4 * 1024 * 1024 + 1, 4)).toEqual([4, 1]);
  });

  it('grow again after long data', () => {
    const sizes = pageSizes();
    sizes.wasLast(page(250, 64 * 1024));
    sizes.wasLast(page(64, 200));
    expect(sizes.next()).toBe(128);
  });

  it('are never larger than a caller allows', () => {
    expect(sizesOf(3, 10, 50)).toEqual([50, 50, 50]);
  });

  it('end with one that is not full', () => {
    const sizes = pageSizes(50);
    expect(sizes.wasLast(page(49, 10))).toBe(true);
    expect(sizes.wasLast([])).toBe(true);
  });
});
