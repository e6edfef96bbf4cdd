import type { RecordedEvent } from '../../schema/index.ts';

/** Receives a run's events, in order, each once it is durable and before the call that appended it resolves. */
export type RecordedListener = (events: readonly RecordedEvent[]) => void;

/** Passes a run's recorded events to the parts of its driving process: the driver, its worker, its snapshots, a display. */
export class RecordedFeed {
  readonly #listeners: RecordedListener[] = [];

  /** Adds a listener, which is called after those that were added before it. */
  subscribe(listener: RecordedListener): void {
    this.#listeners.push(listener);
  }

  /** Passes events to the listeners. An error of a listener ends the call. */
  publish(events: readonly RecordedEvent[]): void {
    for (const listener of this.#listeners) listener(events);
  }
}
