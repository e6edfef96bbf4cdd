import { errors, graph, progress, timeline, usage } from '#projections';
import { rebuild as rebuildLog, runLogId } from '#log';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { findRun } from '../find-run.ts';
import { formatCount } from '../numbers.ts';

export interface RebuildOptions extends CommonOptions {
  readonly check?: boolean | undefined;
}

/** `distilog rebuild`: folds anew without snapshots, and compares. */
export async function rebuild(context: CommandContext, run: string | undefined, options: RebuildOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const found = await rebuildLog(store, [graph, progress, errors, usage, timeline], runLogId(runId), { check: options.check ?? false });
    const { print, paint } = context.terminal;
    if (found.firstDifference) context.exit(exitCodes.failed);
    if (options.json) print(JSON.stringify({ runId, ...found }));
    else if (found.firstDifference) {
      const { projection, position } = found.firstDifference;
      print(
        `${paint('red', 'different')}: the snapshot of ${projection} at position ${position} is not what the events give.${options.check ? ' distilog rebuild drops it.' : ' It was dropped.'}`,
      );
    } else
      print(
        `${paint('green', 'same')}: ${formatCount(found.snapshots)} snapshots of ${runId} are what its events give.${options.check ? '' : ' They were dropped, and the last ones made anew.'}`,
      );
  });
}
