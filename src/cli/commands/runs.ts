import { graph } from '#projections';
import { foldAt, runLogId, type RunEntry, type Store } from '#log';
import { systemClock } from '#kit/clock';
import { parseAsOf } from '#log';
import { Fault } from '#kit/fault';
import { withStore, type CommandContext, type CommonOptions } from '../context.ts';
import { localTime } from '../local-time.ts';
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
  return {
    runId,
    pipeline,
    status,
    interrupted: instant === null ? status === 'running' && holder === null : null,
    startedAt,
    position,
    lastEventAt,
    driver: instant === null && holder ? `${holder.user}@${holder.host}:${holder.pid}` : null,
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
  const rows = listed.map(({ runId, pipeline, status, interrupted, startedAt, lastEventAt, position, driver }) => [
    runId,
    pipeline,
    interrupted ? paint('red', 'interrupted') : paint(status === 'succeeded' ? 'green' : status === 'running' ? 'cyan' : 'yellow', status),
    localTime(startedAt),
    localTime(lastEventAt),
    formatCount(position),
    driver ?? '',
  ]);
  print(table(columns, rows, (title) => paint('dim', title)));
}
