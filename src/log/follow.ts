import type { RecordedEvent } from '../../schema/index.ts';
import { pause } from '../kit/pause.ts';
import type { EventLog } from './event-log.ts';

export interface FollowOptions {
  /** First position, from 1. */
  readonly from: number;
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal;
  readonly pollIntervalMs?: number | undefined;
}

const pollIntervalDefaultMs = 250;

/**
 * Reads a log's events in pages, and continues as the log grows. Each event comes once and in order. Events that this program cannot read are left out.
 * It polls, because a notification inside the append would make the appends of all logs wait for each other.
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
