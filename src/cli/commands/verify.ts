import { runLogId, verify as verifyLog } from '#log';
import { exitCodes } from '../exit-codes.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { findRun } from '../find-run.ts';
import { formatCount } from '../numbers.ts';

export interface VerifyOptions extends CommonOptions {
  readonly head?: string | undefined;
}

/** `distilog verify`: computes chain and chunks anew, and names the first bad position. */
export async function verify(context: CommandContext, run: string | undefined, options: VerifyOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const found = await verifyLog(store, runLogId(runId), { expectedHead: options.head });
    if (!found.ok) context.exit(exitCodes.failed);
    const { print, paint } = context.terminal;
    if (options.json) {
      print(JSON.stringify({ runId, ...found }));
      return;
    }
    if (found.firstBad) {
      print(`${paint('red', 'altered')}: ${runId}, position ${found.firstBad.position}: ${found.firstBad.reason}.`);
      print(`Before it, ${formatCount(found.events)} events and ${formatCount(found.chunks)} chunks are as they were appended.`);
      return;
    }
    print(
      `${paint('green', 'intact')}: ${runId}, ${formatCount(found.events)} events and ${formatCount(found.chunks)} chunks are as they were appended.`,
    );
    print(`head: position ${found.head.position}, hash ${found.head.hash}`);
    print(paint('dim', 'Keep this hash elsewhere: verify --head HASH then finds even a log that was rewritten from end to end.'));
  });
}
