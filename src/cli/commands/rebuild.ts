import type { Command } from 'commander';
import { projections } from '../../../projections/index.ts';
import { thisActor } from '../../engine/index.ts';
import { checkSnapshots, rebuild as rebuildLog, runLogId, type Rebuilt } from '../../log/index.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { findRun } from '../../views/index.ts';
import { formatCount } from '../numbers.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog rebuild`. */
export function registerRebuild(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'rebuild [run]', 'Recompute the snapshots of a run from its log, and store missing or wrong ones again')
    .option('--check', 'Compare the stored snapshots and store nothing')
    .action((which, options) => rebuild(context, which, options));
}

interface RebuildOptions extends CommonOptions {
  readonly check?: boolean | undefined;
}

/** `distilog rebuild`: folds a log without snapshots, compares the stored snapshots, and stores missing or wrong ones again. */
async function rebuild(context: CommandContext, run: string | undefined, options: RebuildOptions): Promise<void> {
  await withStore(options, async (store) => {
    const runId = await findRun(store, run);
    const { user, host, pid } = thisActor();
    const found: Rebuilt = options.check
      ? { ...(await checkSnapshots(store, projections, runLogId(runId))), stored: 0 }
      : await rebuildLog(store, projections, runId, { writer: `${user}@${host}:${pid}` });
    if (found.firstDifference) context.exit(exitCodes.failed);
    const { print, printJson } = context.terminal;
    if (options.json) printJson({ runId, ...found });
    else for (const line of renderResult(context, runId, found, options.check ?? false)) print(line);
  });
}

function renderResult({ terminal: { paint } }: CommandContext, runId: string, found: Rebuilt, isCheck: boolean): readonly string[] {
  const { snapshots, foreign, firstDifference, stored } = found;
  const lines: string[] = [];
  if (firstDifference) {
    const { projection, position, reason } = firstDifference;
    lines.push(
      `${paint('red', 'different')}: the snapshot of ${projection} at position ${position}: ${reason}. It is never read. The store's owner can delete it from distilog.snapshots.`,
    );
  } else lines.push(`${paint('green', 'same')}: ${formatCount(snapshots)} snapshots of ${runId} match its events.`);
  if (foreign > 0) lines.push(`${formatCount(foreign)} more are from another version of distilog and are not read.`);
  if (stored > 0) lines.push(`Stored again: the states at ${formatCount(stored)} positions that the log names.`);
  else if (!isCheck) lines.push('Nothing was missing.');
  return lines;
}
