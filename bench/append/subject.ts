/** An event store, as a process that appends sees it. */
export interface Subject {
  /** Creates the tables in an empty database. Only the first of several processes calls it. */
  readonly prepare: (url: string) => Promise<void>;
  readonly open: (options: OpenOptions) => Promise<OpenSubject>;
}

export interface OpenOptions {
  readonly url: string;
  readonly callers: number;
  /** Number of the process, from 0. */
  readonly process: number;
  /** The data of every event, as JSON. */
  readonly data: string;
}

export interface OpenSubject {
  /** One function per caller. It appends `count` events in one call; they are durable when it resolves. */
  readonly callers: readonly ((count: number) => Promise<unknown>)[];
  readonly close: () => Promise<void>;
}

/** Type of the event that every contestant stores. */
export const eventType = 'BatchSucceeded';
