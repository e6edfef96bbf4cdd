import { describe, expect, it } from 'vitest';
import { us, type Comparison } from '../../../bench/area.ts';
import type { Report } from '../../../bench/report.ts';
import { reached, targetsMarkdown } from '../../../bench/targets.ts';

const reportOf = (area: string, comparison: Pick<Comparison, 'what' | 'better' | 'contestants' | 'base'>): Report => ({
  date: '2026-01-01',
  isQuick: false,
  rounds: 2,
  machine: {},
  measured: [{ area, seconds: 1, load: [[], []], comparisons: [{ unit: 'events/s', ...comparison }] }],
});

const appended = (ours: readonly number[], castore: readonly number[]): Report =>
  reportOf('append', {
    what: '64 callers × 1 event',
    better: 'higher',
    contestants: [
      { name: us, figures: ours },
      { name: 'bare INSERT, chained', figures: [80, 80] },
      { name: 'Emmett', figures: [5, 5] },
      { name: 'castore', figures: castore },
      { name: 'evtstore', figures: [] },
    ],
  });

describe('what came of the targets', () => {
  it('is missed where a single peer is too near, and says what the limit itself would reach', () => {
    expect(reached(appended([40, 40], [20, 20]))).toEqual([
      {
        what: 'append, 64 callers × 1 event',
        wanted: '≥ 5 × the fastest event store',
        measured: '8 × Emmett, 2 × castore',
        isMet: false,
        limit: 'bare INSERT, chained: 4 ×, and we are at 50 % of it',
      },
    ]);
    expect(reached(appended([40, 40], [8, 8]))).toMatchObject([{ isMet: true }]);
  });

  it('adds up limits that come one after the other', () => {
    const exported = reportOf('distiset', {
      what: '100,000 rows of 165 bytes to Parquet',
      better: 'higher',
      contestants: [
        { name: us, figures: [10, 20] },
        { name: 'parsed, made canonical and hashed only', figures: [40, 80] },
        { name: 'hyparquet-writer alone', figures: [40, 80] },
        { name: 'DuckDB COPY', figures: [100, 200] },
      ],
    });
    const limit = 'parsed, made canonical and hashed only, then hyparquet-writer alone: 0.2 ×, and we are at 50 % of it';
    expect(reached(exported)).toMatchObject([{ measured: '0.1 × DuckDB COPY', isMet: false, limit }]);
  });

  it('looks at the worst of several sizes', () => {
    const cost = (figures: readonly number[]) =>
      reportOf('engine', {
        what: 'cost of a row, by how many there are',
        better: 'lower',
        contestants: figures.map((figure) => ({ name: `${figure}`, figures: [figure] })),
      });
    expect(reached(cost([10, 8, 12]))).toMatchObject([{ measured: '1.2 ×', isMet: true }]);
    expect(reached(cost([10, 13, 8]))).toMatchObject([{ measured: '1.3 ×', isMet: false, limit: 'between the two largest: 0.615 ×' }]);
  });

  it('leaves out what was not measured, and shows the rest as a table', () => {
    expect(targetsMarkdown(appended([40, 40], [8, 8])).slice(2)).toEqual([
      '| append, 64 callers × 1 event | ≥ 5 × the fastest event store | 8 × Emmett, 5 × castore | met |  |',
    ]);
    expect(reached(reportOf('unknown', { what: '', better: 'lower', contestants: [] }))).toEqual([]);
  });
});
