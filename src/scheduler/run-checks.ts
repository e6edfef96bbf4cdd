import type { GraphState } from '../../projections/index.ts';
import { Fault } from '../kit/fault.ts';
import { runLogId, type EventLog, type Head } from '../log/index.ts';

/** Throws `Fault('run-is-over')` for a run that cannot continue, and `Fault('unknown-event')` as `requireKnownEvents` does. */
export async function requireResumable(log: EventLog, runId: string, { status }: GraphState, head: Head): Promise<void> {
  if (status !== 'running' && status !== 'paused') {
    throw new Fault('run-is-over', `Run ${runId} is over: ${status}. There is nothing to resume.`, { details: { run: runId, status } });
  }
  await requireKnownEvents(log, runId, head);
}

/** Throws `Fault('unknown-event')` if a newer version of distilog wrote to the run. */
export async function requireKnownEvents(log: EventLog, runId: string, head: Head): Promise<void> {
  const unknown = await log.unknownEvent(runLogId(runId), head.position);
  if (unknown) {
    throw new Fault(
      'unknown-event',
      `Run ${runId} cannot be resumed by this version of distilog: position ${unknown.position}: ${unknown.reason}. Update distilog.`,
    );
  }
}
