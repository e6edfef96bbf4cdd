/** Somebody who stores events, as a process that appends sees them. */
export interface Subject {
  /** Makes the tables, in an empty database; only the first of several processes does. */
  readonly prepare: (url: string) => Promise<void>;
  readonly open: (options: OpenOptions) => Promise<OpenSubject>;
}

export interface OpenOptions {
  readonly url: string;
  readonly callers: number;
  /** Which of the processes this is, from 0. */
  readonly process: number;
  /** The data of every event, as JSON. */
  readonly data: string;
}

export interface OpenSubject {
  /** One for each caller: appends so many events in one call; they are durable when it resolves. */
  readonly callers: readonly ((count: number) => Promise<unknown>)[];
  readonly close: () => Promise<void>;
}

/** What kind of event everybody stores. */
export const eventType = 'BatchSucceeded';
