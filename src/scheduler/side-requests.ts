import { pause } from '../kit/pause.ts';
import { follow, sideLogId, type EventLog } from '../log/index.ts';
import type { StopWish } from './stop-wish.ts';

/** Pause before the side log is read again, after the store failed. */
const retryPauseMs = 1000;

/** Passes on requests to pause or cancel that other processes append to the side log from now on. Ends with `signal`, and continues after outages of the store. */
export async function followRequests(log: EventLog, runId: string, stop: (wish: StopWish) => void, signal: AbortSignal): Promise<void> {
  let from: number | null = null;
  while (!signal.aborted) {
    try {
      from ??= ((await log.head(sideLogId(runId)))?.position ?? 0) + 1;
      for await (const page of follow(log, sideLogId(runId), { from, signal })) {
        for (const event of page) {
          from = event.position + 1;
          if (event.type !== 'PauseRequested' && event.type !== 'CancelRequested') continue;
          const { actor, message } = event.data;
          stop({ kind: event.type === 'PauseRequested' ? 'pause' : 'cancel', reason: 'asked', message, step: null, actor });
        }
      }
    } catch {
      await pause(retryPauseMs, signal);
    }
  }
}
