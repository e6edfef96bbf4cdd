import type { NewEvent } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import { newId } from '../kit/ids.ts';
import { encodeEvent } from './encoded-event.ts';
import { sideLogId, type EventLog } from './event-log.ts';

/** Appends one event to a run's side log, which any process may write: requests, exports, late results. Returns its position there. */
export async function appendSideEvent(log: EventLog, runId: string, event: NewEvent, writer: string): Promise<number> {
  const appended = await log.appendSide({
    logId: sideLogId(runId),
    epoch: null,
    appendId: newId(),
    expectedHash: null,
    writer,
    events: [encodeEvent(event)],
  });
  if (!appended.ok)
    throw new Fault(appended.code, `The side log of run ${runId} refused an event: ${appended.message}`, { details: { run: runId } });
  return appended.last;
}
