import { Fault } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';
import { checkSnapshots, type CheckedSnapshots } from './check-snapshots.ts';
import { encodeEvent } from './encoded-event.ts';
import { runLogId, type AppendResult, type DriverSession } from './event-log.ts';
import type { Foldable } from './foldable.ts';
import type { Store } from './store.ts';
import { takeSnapshots, type TakenSnapshots } from './take-snapshots.ts';

/** The result of `rebuild`: the comparison, and the number of positions at which snapshots were stored again. */
export interface Rebuilt extends CheckedSnapshots {
  readonly stored: number;
}

export interface RebuildOptions {
  /** The writing process, for the audit trail: `user@host:pid`. */
  readonly writer: string;
  /** Events between two positions at which snapshots should lie. */
  readonly every?: number | undefined;
}

/** Positions whose snapshots are named in one append. */
const namedMax = 8;

/**
 * Folds a run's log without snapshots, compares each stored snapshot, and stores missing and false ones again. Only a driver may append to a run's log, so it
 * takes the run's lock, and raises the epoch before its first append. False snapshots stay stored and are not read: only the owner of the store can delete
 * them. If nothing is missing, it appends nothing.
 *
 * Throws `Fault('run-is-driven')` if a driver has the run, which then takes the snapshots itself. After a crash, another call continues.
 */
export async function rebuild(
  store: Pick<Store, 'log' | 'snapshots'>,
  folds: readonly Foldable<unknown>[],
  runId: string,
  { writer, every }: RebuildOptions,
): Promise<Rebuilt> {
  const logId = runLogId(runId);
  const session = await openSession(store, runId);
  try {
    const append = createAppend(store, session, writer);
    let unstored: TakenSnapshots[] = [];
    let stored = 0;
    const flush = async (): Promise<void> => {
      if (unstored.length === 0) return;
      const first = await append(unstored);
      await Promise.all(unstored.map((taken, index) => taken.store(store.snapshots, first + index)));
      stored += unstored.length;
      unstored = [];
    };
    const checked = await checkSnapshots(store, folds, logId, {
      every,
      onMissing: async (at) => {
        unstored.push(takeSnapshots(folds, logId, at));
        if (unstored.length === namedMax) await flush();
      },
    });
    await flush();
    return { ...checked, stored };
  } finally {
    await session.close();
  }
}

async function openSession({ log }: Pick<Store, 'log'>, runId: string): Promise<DriverSession> {
  const opened = await log.openDriver(runId);
  if (opened.ok) return opened.session;
  const { user, host, pid } = opened.holder;
  throw new Fault(
    'run-is-driven',
    `Run ${runId} is driven by ${user}@${host}, process ${pid}, which takes its snapshots. Rebuild it when it has stopped. To compare only: distilog rebuild --check`,
    { details: { run: runId, user, host, pid } },
  );
}

/** Returns a function that appends the events of snapshots and returns the position of the first. Its first append raises the epoch. */
function createAppend({ log }: Pick<Store, 'log'>, session: DriverSession, writer: string) {
  const logId = runLogId(session.runId);
  let end: { readonly epoch: number; readonly hash: string } | null = null;
  return async (taken: readonly TakenSnapshots[]): Promise<number> => {
    const events = taken.map(({ event }) => encodeEvent(event));
    const request = { logId, appendId: newId(), writer, events };
    let result: AppendResult;
    if (end) result = await session.append({ ...request, epoch: end.epoch, expectedHash: end.hash });
    else {
      const head = await log.head(logId);
      if (!head) throw new Fault('unknown-run', `There is no run ${session.runId} in this store.`);
      result = await session.takeOver({ ...request, epoch: head.epoch, expectedHash: head.hash });
    }
    if (!result.ok) throw new Fault(result.code, `The snapshots of run ${session.runId} could not be named in its log: ${result.message}`);
    end = { epoch: result.epoch, hash: result.hash };
    return result.first;
  };
}
