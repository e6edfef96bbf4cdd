import { projections, nameStates, type GraphState } from '../../projections/index.ts';
import type { Actor, NewEvent } from '../../schema/index.ts';
import { ageInWords } from '../kit/age.ts';
import type { Clock } from '../kit/clock.ts';
import { Fault, hasCode } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';
import { parseInstant } from '../kit/instant.ts';
import { pause } from '../kit/pause.ts';
import { encodeEvent, foldAll, foldRange, runLogId, type Chunk, type DriverSession, type Head, type Store } from '../log/index.ts';
import { writerOf } from './writer-name.ts';

/** The process that acquires a run. */
export interface RunAcquirer {
  readonly store: Store;
  readonly actor: Actor;
  readonly clock: Clock;
}

/** A run whose lock this process holds, as of the last event that it appended. */
export interface AcquiredRun {
  readonly runId: string;
  readonly session: DriverSession;
  /** The states of all `projections`, in their order. */
  readonly states: readonly unknown[];
  readonly epoch: number;
  readonly head: { readonly position: number; readonly hash: string };
}

/** Events that begin the next epoch of a run, and the chunks to store before them. */
export interface EpochStart {
  readonly events: readonly NewEvent[];
  readonly chunks: readonly Chunk[];
}

/** The run to acquire. `seize`: end the connection of the process that drives it. */
export interface RunToAcquire {
  readonly runId: string;
  readonly seize: boolean;
}

type Begin = (state: GraphState, head: Head) => Promise<EpochStart>;

/**
 * Takes a run's lock and appends, under a new epoch, the events that `begin` returns for the run as of its head. `begin` is called again if another process
 * appended meanwhile, or if the connection broke. Events that were stored before the break are then part of the run, and another takeover follows them.
 * Throws `Fault('run-is-driven')`, `Fault('unknown-run')` and any error of `begin`.
 */
export const acquireRun = (acquirer: RunAcquirer, target: RunToAcquire, begin: Begin): Promise<AcquiredRun> =>
  retryThroughOutages(() => acquireRunOnce(acquirer, target, begin));

/** Limits of the retries while the server restarts. The pauses between them grow to a total of 15 seconds. */
const lockTriesMax = 20;
const lockPauseMs = 150;
const lockPauseMaxMs = 1_000;

/** Calls a function that takes a run's lock, and calls it again while the server is unreachable. */
export async function retryThroughOutages<T>(takeLock: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await takeLock();
    } catch (error) {
      // After a break, our own old connection may hold the lock for a moment.
      const isTransient =
        hasCode(error, 'connection-lost') || hasCode(error, 'store-unreachable') || (tries > 1 && hasCode(error, 'run-is-driven'));
      if (!isTransient || tries >= lockTriesMax) throw error;
      await pause(Math.min(lockPauseMaxMs, lockPauseMs * tries));
    }
  }
}

/** Opens a driver session, which holds the run's lock. Throws `Fault('run-is-driven')` if another process holds it. */
export async function openSession({ store, clock }: RunAcquirer, { runId, seize }: RunToAcquire): Promise<DriverSession> {
  const opened = await store.log.openDriver(runId, { seize });
  if (opened.ok) return opened.session;
  const { user, host, pid, since } = opened.holder;
  const age = ageInWords((clock() - parseInstant(since)) / 1_000);
  throw new Fault(
    'run-is-driven',
    `Run ${runId} is driven by ${user}@${host}, process ${pid}, since ${since} (${age} ago). Stop that process, or take the run over with --take-over.`,
    {
      details: { run: runId, user, host, pid, since },
    },
  );
}

async function acquireRunOnce(acquirer: RunAcquirer, target: RunToAcquire, begin: Begin): Promise<AcquiredRun> {
  const { store, actor } = acquirer;
  const { runId } = target;
  const session = await openSession(acquirer, target);
  try {
    for (;;) {
      const head = await headOf(store, runId);
      const before = await foldAll<readonly unknown[]>(store, projections, runLogId(runId), head.position);
      const { events, chunks } = await begin(nameStates(before).graph, head);
      if (chunks.length > 0) await store.chunks.put(chunks);
      const result = await session.takeOver({
        logId: runLogId(runId),
        epoch: head.epoch,
        appendId: newId(),
        expectedHash: head.hash,
        writer: writerOf(actor),
        events: events.map(encodeEvent),
      });
      // The previous driver may have appended once more. It cannot continue, because this process holds the lock.
      if (!result.ok && (result.code === 'history-diverged' || result.code === 'fenced')) continue;
      if (!result.ok) throw new Fault(result.code, `Run ${runId} could not be taken over: ${result.message}`);
      const added = { logId: runLogId(runId), from: result.first, to: result.last };
      const states = await foldRange<readonly unknown[]>(store.log, projections, before, added);
      return { runId, session, states, epoch: result.epoch, head: { position: result.last, hash: result.hash } };
    }
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function headOf(store: Store, runId: string): Promise<Head> {
  const head = await store.log.head(runLogId(runId));
  if (!head) throw new Fault('unknown-run', `There is no run ${runId} in this store.`, { details: { run: runId } });
  return head;
}
