import type { RecordedEvent } from '../../schema/index.ts';

/** The members of a projection that folding needs. See `projections`. */
export interface Foldable<State> {
  readonly name: string;
  readonly version: number;
  initialState(): State;
  evolve(state: State, event: RecordedEvent): State;
}
