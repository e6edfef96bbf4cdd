import { projections, nameStates, type GraphState, type RunStates } from '../../projections/index.ts';
import type { NewEvent } from '../../schema/index.ts';
import { Fault, hasCode } from '../kit/fault.ts';
import { openAppender, runLogId, snapshotting, type Appender, type EventLog } from '../log/index.ts';
import type { AcquiredRun } from './acquire-run.ts';
import type { DriveContext } from './drive-context.ts';
import { Driver, type Rest } from './driver.ts';
import { recordLateUsage } from './late-usage.ts';
import { RecordedFeed } from './recorded-feed.ts';
import { reopenedEvent } from './reopened-event.ts';
import { followRequests } from './side-requests.ts';
import type { StopWish } from './stop-wish.ts';
import { writerOf } from './writer-name.ts';

/** A run that this process drives. */
export interface DrivenRun {
  readonly runId: string;
  /** Moves the run until it is at rest. Throws `Fault('fenced')` when another process took it over. */
  drive(): Promise<{ readonly rest: Rest; readonly position: number }>;
  /** Starts no more calls, waits for those in flight, and puts the run at rest. */
  stop(wish: StopWish): void;
  /** Ends calls in flight without waiting for them. */
  abort(): void;
  /** Returns the graph as of the last recorded event. */
  state(): GraphState;
  /** Returns all states as of the last recorded event. */
  states(): RunStates;
}

/** Connects an acquired run's appender, driver, worker and snapshots. The run moves once `drive` is called. */
export function driveAcquiredRun(context: DriveContext, { runId, session, states: acquired, epoch, head }: AcquiredRun): DrivenRun {
  const { store, actor, clock, program } = context;
  const logId = runLogId(runId);
  const feed = new RecordedFeed();
  const ended = new AbortController();
  const appender = openAppender({
    log: store.log,
    runId,
    session,
    epoch,
    position: head.position,
    expectedHash: head.hash,
    writer: writerOf(actor),
    signal: ended.signal,
    onAway: context.onAway,
    onRecorded: (events) => feed.publish(events),
  });
  const snapshots = snapshotting(store, {
    folds: projections,
    logId,
    append: (events) => appender.append(events),
    start: { position: head.position, states: acquired },
  });
  // Events are folded once in this process: the driver and a display share these states.
  const states = () => nameStates(snapshots.states());
  const state = states().graph;
  // No event follows the one that puts a run at rest.
  const append: Appender['append'] = (events) => {
    if (events.some(isRest)) snapshots.finish();
    return appender.append(events);
  };
  const concurrency = Object.fromEntries(Object.entries(state.steps).map(([name, { plan }]) => [name, plan.concurrency]));
  const driver = new Driver({
    state,
    appender: { append },
    makeWorker: (port) => context.makeWorker({ runId, seed: state.seed, driver: port, concurrency }),
    actor,
    clock,
    reopen: async (graph, steps) => {
      const owed = await context.findOwedPass(runId, graph, steps);
      if (!owed) return null;
      return reopenedEvent(owed, { pass: graph.pass + 1, epoch, actor, program });
    },
    onLate: (event) => recordLateUsage(store.log, { runId, actor, epoch }, event),
  });
  feed.subscribe((events) => snapshots.recorded(events));
  feed.subscribe((events) => driver.onRecorded(events, states().graph));
  const { onRecorded } = context;
  if (onRecorded) feed.subscribe((events) => onRecorded(events, states()));

  return {
    runId,
    stop: (wish) => driver.stop(wish),
    abort: () => driver.abort(),
    state: () => driver.state,
    states,
    drive: async () => {
      const requests = followRequests(store.log, runId, (wish) => driver.stop(wish), ended.signal);
      try {
        const rest = await driver.run();
        return { rest, position: appender.position };
      } catch (error) {
        throw hasCode(error, 'fenced') ? await fencedFault(store.log, runId, error) : error;
      } finally {
        ended.abort();
        await requests;
        await driver.close();
        await appender.close();
        await snapshots.close();
        await session.close();
      }
    },
  };
}

const isRest = ({ type }: NewEvent): boolean => type === 'RunFinished' || type === 'RunPaused' || type === 'RunCancelled';

/** Returns the fault of a driver that lost its run. Its own late results are in the side log already. */
async function fencedFault(log: EventLog, runId: string, cause: unknown): Promise<Fault> {
  const by = await log.lastWriter(runLogId(runId)).catch(() => null);
  return new Fault(
    'fenced',
    `Run ${runId} was taken over by ${by ?? 'another process'}. This process has stopped, and its open batches are done there again. ` +
      `Watch the run with: distilog status ${runId} --follow`,
    { cause, details: { run: runId } },
  );
}
