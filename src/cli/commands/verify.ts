import { runLogId, sideLogId, verify as verifyLog, type Verified } from '#log';
import { exitCodes } from '../exit-codes.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { findRun } from '../find-run.ts';
import { formatCount } from '../numbers.ts';

export interface VerifyOptions extends CommonOptions {
  readonly head?: string | undefined;
}

/** `distilog verify`: computes the chains and chunks of a run's two logs anew, and names the first bad position. */
export async function verify(context: CommandContext, run: string | undefined, options: VerifyOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const found = await verifyLog(store, runLogId(runId), { expectedHead: options.head });
    const side = await verifyLog(store, sideLogId(runId));
    if (!found.ok || !side.ok) context.exit(exitCodes.failed);
    const { print, paint } = context.terminal;
    if (options.json) {
      print(JSON.stringify({ runId, ...found, ok: found.ok && side.ok, side }));
      return;
    }
    tell(context, runId, found);
    if (!side.ok) tell(context, `side log of ${runId}`, side);
    if (!found.ok) return;
    print(`head: position ${found.head.position}, hash ${found.head.hash}`);
    print(paint('dim', 'Keep this hash elsewhere: verify --head HASH then finds even a log that was rewritten from end to end.'));
  });
}

function tell({ terminal: { print, paint } }: CommandContext, name: string, { firstBad, events, chunks }: Verified): void {
  const counted = `${formatCount(events)} events and ${formatCount(chunks)} chunks are as they were appended.`;
  if (!firstBad) print(`${paint('green', 'intact')}: ${name}, ${counted}`);
  else {
    print(`${paint('red', 'altered')}: ${name}, position ${firstBad.position}: ${firstBad.reason}.`);
    print(`Before it, ${counted}`);
  }
}
