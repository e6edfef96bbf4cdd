import { describe, expect, it } from 'vitest';
import { follow, memoryStore } from '../../../src/log/index.ts';
import { batchStarted, openRun, runId } from './log-fixture.ts';

describe('following a log', () => {
  it('yields each event once and in order, and continues as the log grows', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const stop = new AbortController();
    const seen: number[] = [];
    let written = 1;
    for await (const page of follow(log, runId, { from: 1, signal: stop.signal, pollIntervalMs: 1 })) {
      seen.push(...page.map(({ position }) => position));
      if (written < 40) {
        const events = Array.from({ length: 1 + (written % 3) }, (_, attempt) => batchStarted(written, attempt + 1));
        written += events.length;
        // Not awaited: it may be recorded while the page is read, or after.
        void appender.append(events);
      } else if (seen.length >= written) stop.abort();
    }
    expect(seen).toEqual(Array.from({ length: written }, (_, index) => index + 1));
  });

  it('yields an event once that is recorded between reading the head and the page', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const stop = new AbortController();
    const growing: typeof log = {
      ...log,
      head: async (logId) => {
        const head = await log.head(logId);
        if (appender.position < 10) await appender.append([batchStarted(appender.position)]);
        return head;
      },
    };
    const seen: number[] = [];
    for await (const page of follow(growing, runId, { from: 1, signal: stop.signal, pollIntervalMs: 1 })) {
      seen.push(...page.map(({ position }) => position));
      if (seen.at(-1) === 10) stop.abort();
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('starts at its position, even if there is no event yet', async () => {
    const { log } = memoryStore();
    const appender = await openRun(log);
    const stop = new AbortController();
    const following = follow(log, runId, { from: 3, signal: stop.signal, pollIntervalMs: 1 });
    const next = following.next();
    await appender.append([batchStarted(0)]);
    await appender.append([batchStarted(1)]);
    expect((await next).value).toMatchObject([{ position: 3 }]);
    stop.abort();
    expect((await following.next()).done).toBe(true);
  });

  it('waits for a log that does not exist yet', async () => {
    const { log } = memoryStore();
    const stop = new AbortController();
    const next = follow(log, runId, { from: 1, signal: stop.signal, pollIntervalMs: 1 }).next();
    await openRun(log);
    expect((await next).value).toMatchObject([{ type: 'RunStarted' }]);
    stop.abort();
  });

  it('ends at once when its signal aborts, however long it would have waited', async () => {
    const { log } = memoryStore();
    await openRun(log);
    const stop = new AbortController();
    const next = follow(log, runId, { from: 2, signal: stop.signal, pollIntervalMs: 3_600_000 }).next();
    setTimeout(() => stop.abort(), 5);
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
