import type { BenchServer } from './server.ts';

/** The environment of an area. */
export interface Bench {
  /** The server that all contestants are measured on. */
  readonly server: BenchServer;
  /** How many times each contestant runs, in turns with the others. */
  readonly rounds: number;
  /** Whether to use little data. Such a run only tests that the benchmark works, and its figures mean nothing. */
  readonly isQuick: boolean;
  /** Prints a line of progress. */
  readonly reportProgress: (line: string) => void;
}

/** A subject to measure, compared with the tools that users would use instead. */
export interface Area {
  readonly name: string;
  /** One line for the list of areas. */
  readonly description: string;
  readonly run: (bench: Bench) => Promise<readonly Comparison[]>;
}

/** Contestants that do the same work, in turns. */
export interface Comparison {
  /** The work, such as `64 callers × 1 event`. */
  readonly title: string;
  /** Unit of the figures: `events/s`, `ms`, `MB`. */
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly contestants: readonly Contestant[];
  /** The contestant that the others are compared with, if not distilog, such as the smallest of several sizes. */
  readonly base?: string | undefined;
  /** Explains the figures to a reader. */
  readonly note?: string | undefined;
}

export interface Contestant {
  readonly name: string;
  /** One figure per round. None if the contestant could not run. */
  readonly figures: readonly number[];
  /** Further observations: peak memory, missed events, the reason why it was left out. */
  readonly observations?: Readonly<Record<string, string | number>> | undefined;
}

/** Name of distilog among contestants. */
export const ownName = 'distilog';
