import type { RecordedEvent } from '../../schema/index.ts';
import { pause } from '../kit/pause.ts';
import type { EventLog } from './event-log.ts';

export interface FollowOptions {
  /** First position, from 1. */
  readonly from: number;
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal;
  readonly pollIntervalMs?: number | undefined;
}

const pollIntervalDefaultMs = 250;

/**
 * A log's events in pages, and on as it grows: each position once, in order, those that this program cannot read left out. Polls: a notification inside
 * the append would make all logs' appends wait for each other.
 */
export async function* follow(
  log: Pick<EventLog, 'read' | 'head'>,
  logId: string,
  { from, signal, pollIntervalMs = pollIntervalDefaultMs }: FollowOptions,
): AsyncGenerator<readonly RecordedEvent[]> {
  let next = from;
  while (!signal.aborted) {
    const head = (await log.head(logId))?.position ?? 0;
    if (head >= next) {
      for await (const page of log.read(logId, { from: next, to: head })) {
        if (signal.aborted) return;
        yield page;
      }
      next = head + 1;
    }
    await pause(pollIntervalMs, signal);
  }
}
