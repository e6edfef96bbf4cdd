import type { Actor } from '../../schema/index.ts';
import { appendSideEvent, type EventLog } from '../log/index.ts';
import type { BatchEnd } from './worker-port.ts';
import { writerOf } from './writer-name.ts';

/** Records in the side log the usage of a batch that ended after its driver was fenced: its calls were paid for. */
export async function recordLateUsage(
  log: EventLog,
  { runId, actor, epoch }: { readonly runId: string; readonly actor: Actor; readonly epoch: number },
  { step, pass, batch, attempt, data }: BatchEnd['event'],
): Promise<void> {
  if (data.usage.length === 0) return;
  await appendSideEvent(
    log,
    runId,
    { type: 'LateResult', step, pass, batch, attempt, data: { actor, epoch, rows: data.rows, usage: data.usage } },
    writerOf(actor),
  );
}
