import type { Command } from 'commander';
import { readMetadata, verifyDistiset } from '../../distiset/index.ts';
import { Fault } from '../../kit/fault.ts';
import {
  checkSnapshots,
  runLogId,
  sideLogId,
  verify as verifyLog,
  type CheckedSnapshots,
  type Store,
  type Verified,
} from '../../log/index.ts';
import { projections } from '../../../projections/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { findRun } from '../../views/index.ts';
import { createGarbageCollector } from '../frugal-heap.ts';
import { formatCount } from '../numbers.ts';
import { addStoreCommand } from '../command-options.ts';

/** Registers `distilog verify`. */
export function registerVerify(program: Command, context: CommandContext): void {
  addStoreCommand(program, 'verify [run]', 'Recompute the hash chain, every chunk and every snapshot')
    .option('--head <hash>', 'Require the chain to contain this hash, which you kept elsewhere')
    .option('--distiset <dir>', 'Verify an exported dataset: its files, and its rows in the log')
    .action((which, options) => verify(context, which, options));
}

interface VerifyOptions extends CommonOptions {
  readonly head?: string | undefined;
  readonly distiset?: string | undefined;
}

/** `distilog verify`: recomputes the chains and chunks of a run's two logs and names the first bad position. Then folds the log and compares its snapshots. */
async function verify(context: CommandContext, run: string | undefined, options: VerifyOptions): Promise<void> {
  await withStore(options, async (store) => {
    if (options.distiset !== undefined) {
      await verifyExported(context, store, run, options.distiset, options.json ?? false);
      return;
    }
    const runId = await findRun(store, run);
    const found = await verifyLog(store, runLogId(runId), { expectedHead: options.head });
    const side = await verifyLog(store, sideLogId(runId));
    // The states of an altered log prove nothing about its snapshots.
    const snapshots = found.ok ? await checkSnapshots(store, projections, runLogId(runId)) : null;
    const ok = found.ok && side.ok && snapshots?.firstDifference === null;
    if (!ok) context.exit(exitCodes.failed);
    const { print, printJson, paint } = context.terminal;
    if (options.json) {
      printJson({ runId, ...found, ok, side, snapshots });
      return;
    }
    printLog(context, runId, found);
    if (snapshots) printSnapshots(context, runId, snapshots);
    printSideLog(context, runId, side);
    if (!found.ok) return;
    print(`head: position ${found.head.position}, hash ${found.head.hash}`);
    print(paint('dim', 'Keep this hash elsewhere. verify --head HASH then detects even a completely rewritten log.'));
  });
}

/** Verifies an exported dataset and the logs that it came from. */
async function verifyExported(
  context: CommandContext,
  store: Store,
  run: string | undefined,
  directory: string,
  isJson: boolean,
): Promise<void> {
  const { print, printJson, paint } = context.terminal;
  const written = readMetadata(directory).run.id;
  if (run !== undefined && (await findRun(store, run)) !== written)
    throw new Fault('other-run', `The dataset in ${directory} was exported from run ${written}, not from ${run}. Name that run, or none.`);
  await findRun(store, written);
  const log = await verifyLog(store, runLogId(written));
  // The side log records the export, so it must be intact too.
  const side = await verifyLog(store, sideLogId(written));
  const found = await verifyDistiset(store, directory, { onRead: createGarbageCollector() });
  if (!found.ok || !log.ok || !side.ok) context.exit(exitCodes.failed);
  if (isJson) {
    printJson({ ...found, ok: found.ok && log.ok && side.ok, log, side });
    return;
  }
  const counted = `${formatCount(found.files)} file${found.files === 1 ? '' : 's'}, ${formatCount(found.rows)} rows`;
  if (found.ok)
    print(`${paint('green', 'intact')}: ${directory}, ${counted}, equal to run ${written} at position ${formatCount(found.position)}.`);
  else for (const difference of found.differences) print(`${paint('red', 'altered')}: ${directory}: ${difference}.`);
  for (const statement of found.unproven) print(paint('dim', `not proven by the log: ${statement}.`));
  if (!log.ok) printLog(context, written, log);
  printSideLog(context, written, side);
}

/** Prints a side log if it was altered, or if it has an event that cannot be read. */
function printSideLog(context: CommandContext, runId: string, side: Verified): void {
  if (!side.ok) printLog(context, `side log of ${runId}`, side);
  if (!side.unknown) return;
  const { position, reason } = side.unknown;
  context.terminal.note(`warning: unreadable event of the side log of ${runId}, position ${position}: ${reason}.`);
  context.terminal.note(
    'It was appended like this and not altered since. The rows and states of the run do not depend on it. Data that is not JSON is ignored.',
  );
}

function printLog({ terminal: { print, paint } }: CommandContext, name: string, { firstBad, events, chunks }: Verified): void {
  const counted = `${formatCount(events)} events and ${formatCount(chunks)} chunks are unchanged.`;
  if (!firstBad) print(`${paint('green', 'intact')}: ${name}, ${counted}`);
  else {
    print(`${paint('red', 'altered')}: ${name}, position ${firstBad.position}: ${firstBad.reason}.`);
    print(`Before it, ${counted}`);
  }
}

function printSnapshots(
  { terminal: { print, paint } }: CommandContext,
  runId: string,
  { snapshots, firstDifference }: CheckedSnapshots,
): void {
  if (firstDifference) {
    const { projection, position, reason } = firstDifference;
    print(`${paint('red', 'altered')}: ${runId}, the snapshot of ${projection} at position ${position}: ${reason}.`);
  } else if (snapshots > 0) print(`Its ${formatCount(snapshots)} snapshots match its events.`);
}
