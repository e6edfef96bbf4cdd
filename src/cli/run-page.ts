import { systemClock } from '../kit/clock.ts';
import { parseSince, runLogId, type RunCursor, type RunEntry, type RunSelection, type Store } from '../log/index.ts';
import { parseCount } from './count-option.ts';
import { findRun } from '../views/index.ts';
import { formatCount } from './numbers.ts';

/** Options of commands that list runs. */
export interface RunPageOptions {
  readonly limit?: string | undefined;
  readonly all?: boolean | undefined;
  readonly since?: string | undefined;
  readonly before?: string | undefined;
}

/** Runs that a command lists, newest first, and the number of runs that it leaves out. */
export interface RunPage {
  readonly entries: readonly RunEntry[];
  /** Number of older runs that match the same options. */
  readonly notShown: number;
  /** The value of `--before` that lists the next page, or null if there is none. */
  readonly next: string | null;
}

/** Runs listed by default. */
const shownMax = 20;
/** Runs read from the store at once. */
const pageMax = 200;

/**
 * Returns the newest runs that match a command's options, and the number of older runs that match. Throws `Fault('not-a-number')`, `Fault('not-a-time')`
 * and the faults of `findRun` for the run of `--before`.
 */
export async function readRunPage(
  store: Store,
  options: RunPageOptions,
  selection: Pick<RunSelection, 'pipeline' | 'until'>,
): Promise<RunPage> {
  const limit = options.all ? Number.POSITIVE_INFINITY : (parseCount('--limit', options.limit) ?? shownMax);
  const since = options.since === undefined ? undefined : parseSince(options.since, systemClock());
  const fitting = { ...selection, since };
  const before = options.before === undefined ? undefined : await findCursor(store, options.before);
  const entries: RunEntry[] = [];
  for await (const page of store.log.runs({ ...fitting, before, pageMax: Math.min(limit, pageMax) })) {
    entries.push(...page.slice(0, limit - entries.length));
    if (entries.length >= limit) break;
  }
  const last = entries.at(-1);
  const notShown = last === undefined || entries.length < limit ? 0 : await store.log.countRuns({ ...fitting, before: last });
  return { entries, notShown, next: last !== undefined && notShown > 0 ? last.runId : null };
}

/** Returns a line that says how many runs are not shown and how to list them, or null if all are shown. */
export const notShownLine = ({ notShown, next }: Pick<RunPage, 'notShown' | 'next'>): string | null =>
  next === null
    ? null
    : `${formatCount(notShown)} older ${notShown === 1 ? 'run is' : 'runs are'} not shown. To list them, add --all, --limit N, or --before ${next}.`;

async function findCursor(store: Store, asked: string): Promise<RunCursor> {
  const runId = await findRun(store, asked);
  const first = await store.log.asOf(runLogId(runId), 1);
  return { runId, startedAt: first?.recordedAt ?? '' };
}
