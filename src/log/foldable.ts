import type { RecordedEvent } from '../../schema/index.ts';

/** A fold, as far as folding needs to know it: `projections` makes them. */
export interface Foldable<State> {
  readonly name: string;
  readonly version: number;
  initialState(): State;
  evolve(state: State, event: RecordedEvent): State;
}
