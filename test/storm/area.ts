/** How much of a storm is asked for, and whence its chances come. */
export interface Storm {
  /** What every choice follows from: the same seed, the same choices. */
  readonly seed: number;
  /** Worlds to try: each with a seed of its own, from `seed` upwards. */
  readonly seeds: number;
  /** Blows to strike in all. */
  readonly kills: number;
  /** What blows may be. */
  readonly signals: readonly Blow[];
  /** Tells whoever watches how far it is. */
  readonly say: (line: string) => void;
}

/** A run's process killed; stopped for longer than a takeover, then let go on; its PostgreSQL killed. */
export const blows = ['KILL', 'STOP', 'pg-immediate'] as const;
export type Blow = (typeof blows)[number];

/** What an area counted, in words that stand in a table. */
export type Figures = Readonly<Record<string, string | number>>;

/** One kind of attack on what is promised. It fails by throwing, with the seed that shows the failure again. */
export interface Area {
  readonly name: string;
  /** One line for the list of areas. */
  readonly does: string;
  readonly run: (storm: Storm) => Promise<Figures>;
}
