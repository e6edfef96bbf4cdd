import { graph } from '#projections';
import { foldAt, runLogId, type RunEntry, type Store } from '#log';
import { systemClock } from '#kit/clock';
import { parseAsOf } from '#log';
import { Fault } from '#kit/fault';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { ageOf, localTime } from '../local-time.ts';
import { formatCount } from '../numbers.ts';
import { table } from '../table.ts';

export interface RunsOptions extends CommonOptions {
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

/** `distilog runs`: every run of the store, newest first. */
export async function runs(context: CommandContext, options: RunsOptions): Promise<void> {
  const asked = options.at === undefined ? null : parseAsOf(options.at, systemClock());
  if (asked?.kind === 'position') throw new Fault('not-an-as-of', 'runs --at takes a time: positions are places in one run.');
  await withStore(options, async (store) => {
    const listed: Listed[] = [];
    for await (const page of store.log.runs()) {
      for (const entry of page) {
        if (options.pipeline !== undefined && entry.pipeline !== options.pipeline) continue;
        const run = await listedRun(store, entry, asked?.kind === 'instant' ? asked.instant : null);
        if (run) listed.push(run);
      }
    }
    if (options.json) context.terminal.print(JSON.stringify({ runs: listed }));
    else show(context, listed);
  });
}

async function listedRun(
  store: Store,
  { runId, pipeline, startedAt, head, holder }: RunEntry,
  instant: number | null,
): Promise<Listed | null> {
  const position = instant === null ? head.position : await store.log.positionAt(runLogId(runId), instant);
  if (position === 0) return null;
  const { status } = await foldAt(store, graph, runLogId(runId), position);
  const lastEventAt =
    instant === null ? head.recordedAt : ((await store.log.asOf(runLogId(runId), position))?.recordedAt ?? head.recordedAt);
  const driver = instant === null ? holder : null;
  const interrupted = instant === null ? status === 'running' && holder === null : null;
  return {
    runId,
    pipeline,
    status,
    interrupted,
    startedAt,
    position,
    lastEventAt,
    driver: driver && `${driver.user}@${driver.host}:${driver.pid}`,
    drivenSince: driver && driver.since,
    lastDriver: interrupted ? await store.log.lastWriter(runLogId(runId)) : null,
  };
}

function show({ terminal: { print, paint } }: CommandContext, listed: readonly Listed[]): void {
  if (listed.length === 0) {
    print('No runs yet. Start one: distilog run FILE');
    return;
  }
  const columns = [
    { title: 'run' },
    { title: 'pipeline' },
    { title: 'status' },
    { title: 'started' },
    { title: 'last event' },
    { title: 'events', align: 'right' },
    { title: 'driver' },
  ] as const;
  const rows = listed.map(({ runId, pipeline, status, startedAt, lastEventAt, position, ...whose }) => [
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
}

function drivenBy(lastEventAt: string, { driver, drivenSince, lastDriver }: Pick<Listed, 'driver' | 'drivenSince' | 'lastDriver'>): string {
  if (driver && drivenSince) return `${driver}, since ${ageOf(drivenSince)}`;
  return lastDriver ? `none; ${lastDriver} until ${ageOf(lastEventAt)}` : '';
}
