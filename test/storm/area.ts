/** The size of a storm and the source of its random choices. */
export interface Storm {
  /** The seed of every choice: the same seed gives the same choices. */
  readonly seed: number;
  /** The number of worlds to try. Each has its own seed, from `seed` upwards. */
  readonly seeds: number;
  /** The total number of faults to inject. */
  readonly kills: number;
  /** The kinds of faults to choose from. */
  readonly signals: readonly Blow[];
  /** Reports progress. */
  readonly say: (line: string) => void;
}

/** Injected faults: kills a run's process, stops it for longer than a takeover and then continues it, or stops its PostgreSQL immediately. */
export const blows = ['KILL', 'STOP', 'pg-immediate'] as const;
export type Blow = (typeof blows)[number];

/** The counts of an area, by their names in a table. */
export type Figures = Readonly<Record<string, string | number>>;

/** One kind of attack on the promises. It fails by throwing an error with the seed that reproduces the failure. */
export interface Area {
  readonly name: string;
  /** One line for the list of areas. */
  readonly does: string;
  readonly run: (storm: Storm) => Promise<Figures>;
}
