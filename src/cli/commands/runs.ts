import type { Command } from 'commander';
import { graph } from '../../../projections/index.ts';
import { foldAt, runLogId, type Holder, type RunEntry, type Store } from '../../log/index.ts';
import { systemClock } from '../../kit/clock.ts';
import { parseAsOf } from '../../log/index.ts';
import { Fault } from '../../kit/fault.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { currentState } from '../../views/index.ts';
import { ageOf, localTime } from '../local-time.ts';
import { formatCount } from '../numbers.ts';
import { notShownLine, runPage, type RunPageOptions } from '../run-page.ts';
import { table } from '../table.ts';
import { addRunPageOptions, addStoreCommand } from '../command-options.ts';

/** Registers `distilog runs`. */
export function registerRuns(program: Command, context: CommandContext): void {
  addRunPageOptions(addStoreCommand(program, 'runs', 'runs, newest first'))
    .option('--pipeline <name>', 'of this pipeline only')
    .option('--at <as-of>', 'as of a time')
    .action((options) => runs(context, options));
}

interface RunsOptions extends CommonOptions, RunPageOptions {
  readonly pipeline?: string | undefined;
  readonly at?: string | undefined;
}

interface Listed {
  readonly runId: string;
  readonly pipeline: string;
  readonly status: string;
  /** Says it is running, and nobody drives it. Null: as of a time that is past, nobody knows. */
  readonly interrupted: boolean | null;
  readonly startedAt: string;
  readonly position: number;
  readonly lastEventAt: string;
  readonly driver: string | null;
  /** Since when that one drives it. */
  readonly drivenSince: string | null;
  /** Whoever drove an interrupted run last. */
  readonly lastDriver: string | null;
}

/** `distilog runs`: runs of the store, newest first, the newest 20 unless asked otherwise. */
export async function runs(context: CommandContext, options: RunsOptions): Promise<void> {
  const asked = options.at === undefined ? null : parseAsOf(options.at, systemClock());
  if (asked?.kind === 'position') throw new Fault('not-an-as-of', 'runs --at takes a time: positions are places in one run.');
  await withStore(options, async (store) => {
    const instant = asked?.kind === 'instant' ? asked.instant : null;
    const { entries, ...rest } = await runPage(store, options, { pipeline: options.pipeline, until: instant ?? undefined });
    const shown: Listed[] = [];
    for (const entry of entries) {
      const run = await listedRun(store, entry, instant);
      if (run) shown.push(run);
    }
    if (options.json) context.terminal.printJson({ runs: shown, ...rest });
    else if (shown.length > 0) show(context, shown, notShownLine(rest));
    else if ((await store.log.countRuns()) === 0) context.terminal.print('No runs yet. Start one: distilog run FILE');
    else context.terminal.print('No run fits these options.');
  });
}

/** One run of the list, or null if it had not started at an instant. */
export async function listedRun(
  store: Store,
  { runId, pipeline, startedAt, head, holder }: RunEntry,
  instant: number | null,
): Promise<Listed | null> {
  const position = instant === null ? head.position : await store.log.positionAt(runLogId(runId), instant);
  if (position === 0) return null;
  const { status } = await foldAt(store, graph, runLogId(runId), position);
  // The list says who drives a run some time after it said where its log ends.
  if (instant === null && status === 'running' && holder === null) {
    const { recordedAt, ...now } = await currentState(store, runId);
    return listed({ runId, pipeline, startedAt }, { ...now, lastEventAt: recordedAt });
  }
  const lastEventAt =
    instant === null ? head.recordedAt : ((await store.log.asOf(runLogId(runId), position))?.recordedAt ?? head.recordedAt);
  const interrupted = instant === null ? false : null;
  const driver = instant === null ? holder : null;
  return listed({ runId, pipeline, startedAt }, { status, position, lastEventAt, interrupted, holder: driver, lastDriver: null });
}

type Seen = Pick<Listed, 'status' | 'position' | 'lastEventAt' | 'interrupted' | 'lastDriver'> & { readonly holder: Holder | null };

const listed = (
  run: Pick<Listed, 'runId' | 'pipeline' | 'startedAt'>,
  { holder, status, position, lastEventAt, ...seen }: Seen,
): Listed => ({
  ...run,
  status,
  interrupted: seen.interrupted,
  position,
  lastEventAt,
  driver: holder && `${holder.user}@${holder.host}:${holder.pid}`,
  drivenSince: holder && holder.since,
  lastDriver: seen.lastDriver,
});

function show({ terminal: { print, paint } }: CommandContext, shown: readonly Listed[], notShown: string | null): void {
  const columns = [
    { title: 'run' },
    { title: 'pipeline' },
    { title: 'status' },
    { title: 'started' },
    { title: 'last event' },
    { title: 'events', align: 'right' },
    { title: 'driver' },
  ] as const;
  const rows = shown.map(({ runId, pipeline, status, startedAt, lastEventAt, position, ...whose }) => [
    runId,
    pipeline,
    whose.interrupted
      ? paint('red', 'interrupted')
      : paint(status === 'succeeded' ? 'green' : status === 'running' ? 'cyan' : 'yellow', status),
    localTime(startedAt),
    localTime(lastEventAt),
    formatCount(position),
    drivenBy(lastEventAt, whose),
  ]);
  print(table(columns, rows, (title) => paint('dim', title)));
  if (notShown !== null) print(paint('dim', notShown));
}

function drivenBy(lastEventAt: string, { driver, drivenSince, lastDriver }: Pick<Listed, 'driver' | 'drivenSince' | 'lastDriver'>): string {
  if (driver && drivenSince) return `${driver}, since ${ageOf(drivenSince)}`;
  return lastDriver ? `none; ${lastDriver} until ${ageOf(lastEventAt)}` : '';
}
