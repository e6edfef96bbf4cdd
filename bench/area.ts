import type { BenchServer } from './server.ts';

/** What an area is given. */
export interface Bench {
  /** The one server that everybody is measured on. */
  readonly server: BenchServer;
  /** How often each contestant runs, in turns with the others. */
  readonly rounds: number;
  /** Whether everything is to be small: shows that it runs, and measures nothing. */
  readonly isQuick: boolean;
  /** Tells whoever watches how far it is. */
  readonly say: (line: string) => void;
}

/** One subject that is measured beside what people would use instead. */
export interface Area {
  readonly name: string;
  /** One line for the list of areas. */
  readonly does: string;
  readonly run: (bench: Bench) => Promise<readonly Comparison[]>;
}

/** Contestants that did the same work, in turns. */
export interface Comparison {
  /** The work: `64 callers × 1 event`. */
  readonly what: string;
  /** Of the figures: `events/s`, `ms`, `MB`. */
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly contestants: readonly Contestant[];
  /** The contestant that the others are compared with, if not `us`: the smallest of several sizes, say. */
  readonly base?: string | undefined;
  /** What a reader has to know to trust the figures. */
  readonly note?: string | undefined;
}

export interface Contestant {
  readonly name: string;
  /** One figure a round; none where it could not be tried. */
  readonly figures: readonly number[];
  /** What else was seen: peak memory, events lost, why it was left out. */
  readonly seen?: Readonly<Record<string, string | number>> | undefined;
}

/** Our own name among contestants. */
export const us = 'distilog';
