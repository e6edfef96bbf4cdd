import type { GraphState } from '../../projections/index.ts';
import type { Loaded } from '../../schema/index.ts';
import type { Head } from '../log/index.ts';
import { acquireRun, type RunAcquirer } from './acquire-run.ts';
import type { DriveContext } from './drive-context.ts';
import { driveAcquiredRun, type DrivenRun } from './drive-run.ts';
import { lastDrive, newlyLoaded } from './last-drive.ts';
import { reopenedEvent, type RetryPass } from './reopened-event.ts';
import { requireKnownEvents, requireResumable } from './run-checks.ts';
import { takeoverEvents, type Takeover } from './takeover-events.ts';

/** The run to resume, and what changes with it. */
export interface ResumeOptions extends Pick<Takeover, 'seize' | 'acceptedChanges' | 'definition' | 'concurrency' | 'skip'> {
  readonly runId: string;
  /** The code that was loaded with the pipeline this time. Recorded if it differs from the last. */
  readonly loaded?: Loaded | null | undefined;
}

/**
 * Resumes a run whose driver died or paused it: folds its log, raises the epoch, and abandons the attempts that were running. Throws a `Fault`:
 * `run-is-driven` (by another process), `run-is-over`, `unknown-event` (written by a newer version), `not-open` (a batch to skip that is not open).
 */
export async function resumeRun(context: DriveContext, options: ResumeOptions): Promise<DrivenRun> {
  const { log } = context.store;
  const { actor, program } = context;
  const { runId, definition } = options;
  const acquired = await acquireRun(context, options, async (before, head) => {
    await requireResumable(log, runId, before, head);
    const last = await lastDrive(log, runId, head);
    return { events: takeoverEvents({ ...options, before, head, last, actor, program }), chunks: definition ? [definition] : [] };
  });
  return driveAcquiredRun(context, acquired);
}

export type ReopenOptions = Pick<ResumeOptions, 'runId' | 'acceptedChanges' | 'definition' | 'loaded' | 'concurrency'>;

/** Begins a new pass of a run that is over. `findPass` returns the pass for the run as of its head. It is called again if another process appended meanwhile. */
export async function retryRun(
  context: DriveContext,
  options: ReopenOptions,
  findPass: (before: GraphState, head: Head) => Promise<RetryPass>,
): Promise<DrivenRun> {
  const { log } = context.store;
  const { actor, program } = context;
  const { runId, definition, acceptedChanges, loaded, concurrency } = options;
  const acquired = await acquireRun(context, { runId, seize: false }, async (before, head) => {
    await requireKnownEvents(log, runId, head);
    const retried = await findPass(before, head);
    const last = await lastDrive(log, runId, head);
    const pass = { pass: before.pass + 1, epoch: head.epoch + 1, actor, program, ...newlyLoaded(loaded, last) };
    const isUnchanged = definition === null && acceptedChanges.length === 0 && Object.keys(concurrency).length === 0;
    const takeover = { ...options, before, head, last, actor, program, loaded: null, seize: false, skip: [] };
    return {
      events: [reopenedEvent(retried, pass), ...(isUnchanged ? [] : takeoverEvents(takeover))],
      chunks: definition ? [definition] : [],
    };
  });
  return driveAcquiredRun(context, acquired);
}

/** Cancels a run that no process drives, because it is paused or its driver is lost. Throws `Fault('run-is-driven')`, `Fault('run-is-over')`. */
export async function cancelRun(acquirer: RunAcquirer, runId: string): Promise<void> {
  const { store, actor } = acquirer;
  const { session } = await acquireRun(acquirer, { runId, seize: false }, async (before, head) => {
    await requireResumable(store.log, runId, before, head);
    return { events: [{ type: 'RunCancelled', data: { reason: 'asked', message: 'asked to cancel', actor } }], chunks: [] };
  });
  await session.close();
}
