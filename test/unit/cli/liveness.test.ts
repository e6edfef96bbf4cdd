import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, runLogId, type EventLog, type RunEntry, type Store } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { chooseRun, isResumable } from '../../../src/cli/choose-run.ts';
import { requestStop } from '../../../src/cli/commands/request.ts';
import { currentState, followToRest, listedRun } from '../../../src/views/index.ts';
import { silentTerminal } from './silent-terminal.ts';

const planned = plan(
  pipeline('live', ({ source }) => {
    source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] });
  }),
);

/** A store with a run that has begun, and one in which something happens whenever it is asked who drives the run. */
async function begun() {
  const store = memoryStore();
  const run = await startPipeline(store, planned, { runId: 'live-1' });
  const between = (happen: () => Promise<unknown>): Store => {
    const holder: EventLog['holder'] = async (runId) => {
      await happen();
      return store.log.holder(runId);
    };
    return { ...store, log: { ...store.log, holder } };
  };
  return { store, run, between };
}

const lose = async (store: Store) => {
  const seized = await store.log.openDriver('live-1', { seize: true });
  if (seized.ok) await seized.session.close();
};
const entryOf = async (store: Store): Promise<RunEntry> => {
  for await (const [entry] of store.log.runs()) if (entry) return entry;
  throw new Error('there is a run');
};
const terminal = silentTerminal();

describe('a run', () => {
  it('is interrupted without a driver, and not with one', async () => {
    const { store } = await begun();
    expect(await currentState(store, 'live-1')).toMatchObject({ status: 'running', interrupted: false, holder: { pid: process.pid } });
    await lose(store);
    expect(await currentState(store, 'live-1')).toMatchObject({ status: 'running', interrupted: true, holder: null, position: 1 });
  });

  it('is not interrupted if it succeeds between the reads of its log and of its driver', async () => {
    const { run, between } = await begun();
    let isDone = false;
    const store = between(async () => {
      if (!isDone) await run.drive();
      isDone = true;
    });
    expect(await currentState(store, 'live-1')).toMatchObject({ status: 'succeeded', interrupted: false });
  });

  it('is not listed as interrupted if the list still shows a driver after its end', async () => {
    const { store, run } = await begun();
    const entry = { ...(await entryOf(store)), holder: null };
    await run.drive();
    expect(await listedRun(store, entry, null)).toMatchObject({ status: 'succeeded', interrupted: false, lastDriver: null });
  });

  it('is not resumed if it succeeds meanwhile', async () => {
    const { run, between } = await begun();
    let isDone = false;
    const store = between(async () => {
      if (!isDone) await run.drive();
      isDone = true;
    });
    const fits = isResumable(false);
    const found: boolean[] = [];
    await chooseRun(terminal, store, undefined, {
      command: 'resume',
      mayAsk: false,
      isCandidate: async (...given) => {
        found.push(await fits(...given));
        return found.at(-1) ?? false;
      },
    });
    expect(found).toEqual([false]);
  });

  it.each(['pause', 'cancel'] as const)('is over, not interrupted, for a %s if it succeeds meanwhile', async (kind) => {
    const { run, between } = await begun();
    let isDone = false;
    const store = between(async () => {
      if (!isDone) await run.drive();
      isDone = true;
    });
    await expect(requestStop(store, 'live-1', kind)).rejects.toMatchObject({ code: 'not-running', details: { status: 'succeeded' } });
  });

  it('is not interrupted while it starts: its driver has the lock before the log exists', async () => {
    const store = memoryStore();
    const held: unknown[] = [];
    const create: EventLog['create'] = async (request) => {
      held.push((await store.log.holder('live-1'))?.pid);
      return store.log.create(request);
    };
    await startPipeline({ ...store, log: { ...store.log, create } }, planned, { runId: 'live-1' });
    expect(held).toEqual([process.pid]);
  });

  it('is not reported as interrupted while its last events are being recorded', async () => {
    const { store, run } = await begun();
    await run.drive();
    const head = (await store.log.head(runLogId('live-1')))?.position ?? 0;
    let looks = 0;
    // The watcher's reader is behind until it was looked at the driver five times.
    const read: EventLog['read'] = async function* (logId, options) {
      while (looks < 5 && options?.from !== undefined && options.from > 1) await new Promise((resolve) => setTimeout(resolve, 20));
      yield* store.log.read(logId, options);
    };
    const holder: EventLog['holder'] = async (runId) => {
      looks++;
      return store.log.holder(runId);
    };
    const ending = await followToRest({ ...store, log: { ...store.log, read, holder } }, 'live-1', {
      from: head - 1,
      onEvents: () => undefined,
    });
    expect(ending).toEqual({ kind: 'rest', status: 'succeeded' });
  });
});
