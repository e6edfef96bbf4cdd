import { describe, expect, it } from 'vitest';
import { errors, fold, graph, parseInstant, progress, projection, projections, timeline, usage } from '../../../projections/index.ts';
import { catalogue, type RecordedEvent } from '../../../schema/index.ts';
import { at, finished, folded, manifestStep, paused, runStarted, timeOf } from '../../fixtures/events.ts';

const outcomes = projection<readonly string[]>({
  name: 'outcomes',
  version: 3,
  initialState: () => [],
  on: { RunFinished: (state, { data }) => [...state, data.outcome] },
});

describe('a projection', () => {
  it('handles the events that it has cases for, and ignores all others', () => {
    expect(outcomes).toMatchObject({ name: 'outcomes', version: 3, handles: ['RunFinished'] });
    expect(folded(outcomes, paused(), finished('failed'), finished('partial'))).toEqual(['failed', 'partial']);
    for (const type of ['Unknown', 'constructor', 'toString'])
      expect(outcomes.evolve(['x'], { ...at(timeOf(1), finished()), type } as unknown as RecordedEvent)).toEqual(['x']);
  });

  it('of this program has a unique name, and handles existing types of events only', () => {
    const all = [graph, progress, errors, usage, timeline];
    expect(all.map(({ name }) => name)).toEqual(['graph', 'progress', 'errors', 'usage', 'timeline']);
    expect(all.flatMap(({ handles }) => handles).filter((type) => !Object.hasOwn(catalogue, type))).toEqual([]);
    expect(projections).toEqual(all);
  });

  it('ignores the events that name its snapshots', () => {
    const before = at(timeOf(1), runStarted(manifestStep('a')));
    const named = { ...at(timeOf(2), finished()), type: 'SnapshotsTaken', data: { position: 1, fingerprint: 'f', states: [] } };
    for (const each of projections) {
      const state = fold(each, [before]);
      expect(each.evolve(state, named as unknown as RecordedEvent)).toBe(state);
    }
  });
});

describe('parseInstant', () => {
  it.each([
    ['1970-01-01T00:00:01Z', 1_000_000],
    ['1970-01-01T00:00:01.000001Z', 1_000_001],
    ['1970-01-01T00:00:01.5Z', 1_500_000],
    ['1970-01-01T00:00:01.123456789Z', 1_123_456],
  ])('of %s', (time, micros) => {
    expect(parseInstant(time)).toBe(micros);
  });
});
