// Folds for tests: one whose state shows exactly which events it saw, in order, and one with a small state.
import type { RecordedEvent } from '../../../schema/index.ts';
import type { Foldable } from '../../../src/log/index.ts';

export interface Seen {
  readonly positions: readonly number[];
  readonly digest: number;
}

export const seen: Foldable<Seen> = {
  name: 'seen',
  version: 1,
  initialState: () => ({ positions: [], digest: 0 }),
  evolve: ({ positions, digest }, event) => ({
    positions: [...positions, event.position],
    digest: (digest * 31 + event.position * event.type.length) % 1_000_003,
  }),
};

export const byType: Foldable<Readonly<Record<string, number>>> = {
  name: 'by-type',
  version: 1,
  initialState: () => ({}),
  evolve: (state, { type }) => ({ ...state, [type]: (state[type] ?? 0) + 1 }),
};

/** Folds events without a store. */
export const folded = <State>(fold: Foldable<State>, events: readonly RecordedEvent[]): State =>
  events.reduce((state, event) => fold.evolve(state, event), fold.initialState());
