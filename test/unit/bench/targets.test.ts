import { describe, expect, it } from 'vitest';
import { ownName, type Comparison } from '../../../bench/area.ts';
import type { Report } from '../../../bench/report.ts';
import { targetResults, targetsMarkdown } from '../../../bench/targets.ts';

const reportOf = (area: string, comparison: Pick<Comparison, 'title' | 'better' | 'contestants' | 'base'>): Report => ({
  date: '2026-01-01',
  isQuick: false,
  rounds: 2,
  machine: {},
  measured: [{ area, seconds: 1, load: [[], []], comparisons: [{ unit: 'events/s', ...comparison }] }],
});

const appended = (ours: readonly number[], castore: readonly number[]): Report =>
  reportOf('append', {
    title: '64 callers × 1 event',
    better: 'higher',
    contestants: [
      { name: ownName, figures: ours },
      { name: 'bare INSERT, chained', figures: [80, 80] },
      { name: 'Emmett', figures: [5, 5] },
      { name: 'castore', figures: castore },
      { name: 'evtstore', figures: [] },
    ],
  });

describe('results of the targets', () => {
  it('misses a target if one peer is too fast, and shows what the ceiling reaches', () => {
    expect(targetResults(appended([40, 40], [20, 20]))).toEqual([
      {
        title: 'append, 64 callers × 1 event',
        goal: '≥ 5 × the fastest event store',
        measured: '8 × Emmett, 2 × castore',
        isMet: false,
        limit: 'bare INSERT, chained: 4 ×, distilog reaches 50 % of it',
      },
    ]);
    expect(targetResults(appended([40, 40], [8, 8]))).toMatchObject([{ isMet: true }]);
  });

  it('adds up the times of ceilings that come one after the other', () => {
    const exported = reportOf('distiset', {
      title: '100,000 rows of 165 bytes to Parquet',
      better: 'higher',
      contestants: [
        { name: ownName, figures: [10, 20] },
        { name: 'parsing and hashing only', figures: [40, 80] },
        { name: 'hyparquet-writer only', figures: [40, 80] },
        { name: 'DuckDB COPY', figures: [100, 200] },
      ],
    });
    const limit = 'parsing and hashing only, then hyparquet-writer only: 0.2 ×, distilog reaches 50 % of it';
    expect(targetResults(exported)).toMatchObject([{ measured: '0.1 × DuckDB COPY', isMet: false, limit }]);
  });

  it('judges the worst of several sizes', () => {
    const cost = (figures: readonly number[]) =>
      reportOf('engine', {
        title: 'cost per row, by number of rows',
        better: 'lower',
        contestants: figures.map((figure) => ({ name: `${figure}`, figures: [figure] })),
      });
    expect(targetResults(cost([10, 8, 12]))).toMatchObject([{ measured: '1.2 ×', isMet: true }]);
    expect(targetResults(cost([10, 13, 8]))).toMatchObject([
      { measured: '1.3 ×', isMet: false, limit: 'between the two largest: 0.615 ×' },
    ]);
  });

  it('omits targets that were not measured, and shows the others as a table', () => {
    expect(targetsMarkdown(appended([40, 40], [8, 8])).slice(2)).toEqual([
      '| append, 64 callers × 1 event | ≥ 5 × the fastest event store | 8 × Emmett, 5 × castore | met |  |',
    ]);
    expect(targetResults(reportOf('unknown', { title: '', better: 'lower', contestants: [] }))).toEqual([]);
  });
});
