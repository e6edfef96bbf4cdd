import type { Command } from 'commander';
import { systemClock } from '../../kit/clock.ts';
import { parseAsOf } from '../../log/index.ts';
import { Fault } from '../../kit/fault.ts';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { listedRun, type ListedRun } from '../../views/index.ts';
import { formatAge, formatLocalTime } from '../local-time.ts';
import { formatCount } from '../numbers.ts';
import { notShownLine, readRunPage, type RunPageOptions } from '../run-page.ts';
import { renderTable } from '../table.ts';
import { addRunPageOptions, addStoreCommand } from '../command-options.ts';

/** Registers `distilog runs`. */
export function registerRuns(program: Command, context: CommandContext): void {
  addRunPageOptions(addStoreCommand(program, 'runs', 'List runs, newest first'))
    .option('--pipeline <name>', 'List only runs of this pipeline')
    .option('--at <as-of>', 'List runs as of this time')
    .action((options) => runs(context, options));
}

interface RunsOptions extends CommonOptions, RunPageOptions {
  readonly pipeline?: string | undefined;
  readonly at?: string | undefined;
}

/** `distilog runs`: lists the runs of the store, newest first, by default the newest 20. */
export async function runs(context: CommandContext, options: RunsOptions): Promise<void> {
  const asked = options.at === undefined ? null : parseAsOf(options.at, systemClock());
  if (asked?.kind === 'position') throw new Fault('not-an-as-of', 'runs --at takes a time, because a position belongs to one run.');
  await withStore(options, async (store) => {
    const instant = asked?.kind === 'instant' ? asked.instant : null;
    const { entries, ...rest } = await readRunPage(store, options, { pipeline: options.pipeline, until: instant ?? undefined });
    const shown: ListedRun[] = [];
    for (const entry of entries) {
      const run = await listedRun(store, entry, instant);
      if (run) shown.push(run);
    }
    if (options.json) context.terminal.printJson({ runs: shown, ...rest });
    else if (shown.length > 0) show(context, shown, notShownLine(rest));
    else if ((await store.log.countRuns()) === 0) context.terminal.print('No runs yet. Start one: distilog run FILE');
    else context.terminal.print('No run matches these options.');
  });
}

function show({ terminal: { print, paint } }: CommandContext, shown: readonly ListedRun[], notShown: string | null): void {
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
    formatLocalTime(startedAt),
    formatLocalTime(lastEventAt),
    formatCount(position),
    describeDriver(lastEventAt, whose),
  ]);
  print(renderTable(columns, rows, (title) => paint('dim', title)));
  if (notShown !== null) print(paint('dim', notShown));
}

function describeDriver(
  lastEventAt: string,
  { driver, drivenSince, lastDriver }: Pick<ListedRun, 'driver' | 'drivenSince' | 'lastDriver'>,
): string {
  if (driver && drivenSince) return `${driver}, since ${formatAge(drivenSince)}`;
  return lastDriver ? `none; last ${lastDriver}, ${formatAge(lastEventAt)}` : '';
}
