import Table from 'cli-table3';
import type { Comparison, Contestant } from './area.ts';
import { median, ratioTo } from './figures.ts';
import type { Report } from './report.ts';

/** A target that was set before anything was measured, and its result. */
export interface TargetResult {
  readonly title: string;
  readonly goal: string;
  readonly measured: string;
  readonly isMet: boolean;
  /** The ceiling, if one was measured: its name, what it reaches, and distilog's share of it. */
  readonly limit: string;
}

/** Returns the results of all targets whose area was measured, in the order of the areas. */
export const targetResults = (report: Report): readonly TargetResult[] =>
  targets.flatMap(({ area, comparison, judge, ...target }) => {
    const found = report.measured
      .filter((measured) => measured.area === area)
      .flatMap(({ comparisons }) => comparisons)
      .find(({ title }) => title.startsWith(comparison));
    return found ? [{ limit: '', ...target, ...judge(found) }] : [];
  });

const head = ['', 'target', 'measured', '', 'ceiling'] as const;

/** Returns the targets as a table for a terminal. */
export function targetsTable(report: Report): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] }, wordWrap: true, colWidths: [30, 24, 30, 8, 40] });
  for (const row of rows(report)) table.push([...row]);
  return table.toString();
}

/** Returns the targets as lines of Markdown. */
export const targetsMarkdown = (report: Report): readonly string[] => [
  `| ${head.join(' | ')} |`,
  '|---|---|---|---|---|',
  ...rows(report).map((cells) => `| ${cells.join(' | ')} |`),
];

const rows = (report: Report): readonly (readonly string[])[] =>
  targetResults(report).map(({ title, goal, measured, isMet, limit }) => [
    title,
    goal,
    measured,
    isMet ? 'met' : 'missed',
    isMet ? '' : limit,
  ]);

interface Target {
  readonly title: string;
  readonly goal: string;
  readonly area: string;
  /** Beginning of the title of the comparison that decides. */
  readonly comparison: string;
  readonly judge: (comparison: Comparison) => Pick<TargetResult, 'measured' | 'isMet'> & Partial<Pick<TargetResult, 'limit'>>;
}

const eventStores = ['Emmett', 'evtstore', 'castore', 'message-db'];
const million = '1,000,000 events';
/** The ceiling of every writer whose events have an order and a hash chain. */
const chained = 'bare INSERT, chained';
const stepEngines = ['DBOS', 'openworkflow', 'absurd'];

const targets: readonly Target[] = [
  {
    title: 'append, 64 callers × 1 event',
    goal: '≥ 5 × the fastest event store',
    area: 'append',
    comparison: '64 callers × 1 event',
    judge: timesAll(5, eventStores, [chained]),
  },
  {
    title: 'append, 8 callers × 100 events',
    goal: '≥ 0.9 × bare INSERT',
    area: 'append',
    comparison: '8 callers × 100 events',
    judge: timesAll(0.9, ['bare INSERT'], [chained]),
  },
  {
    title: 'append, 8 callers × 100 events',
    goal: '≥ 3 × Emmett',
    area: 'append',
    comparison: '8 callers × 100 events',
    judge: timesAll(3, ['Emmett'], [chained]),
  },
  {
    title: 'durable steps, 1,000 workflows × 4',
    goal: '≥ 10 × DBOS, openworkflow, absurd',
    area: 'steps',
    comparison: '1000 workflows × 4 steps, 100 at once; distilog in batches of the default size',
    judge: timesAll(10, stepEngines),
  },
  ...['small rows to Parquet', 'rows of a kilobyte to Parquet'].map(
    (title, index): Target => ({
      title,
      goal: '≥ 0.5 × DuckDB COPY',
      area: 'distiset',
      comparison: index === 0 ? '100,000 rows of' : '50,000 rows of',
      judge: timesAll(0.5, ['DuckDB COPY'], ['parsing and hashing only', 'hyparquet-writer only']),
    }),
  ),
  {
    title: 'peak memory of an export',
    goal: 'flat from 100,000 rows to two million',
    area: 'distiset',
    comparison: 'peak memory',
    judge: noMoreThanFirst(1.2),
  },
  {
    title: 'graph as of a position, a million events',
    goal: 'p99 ≤ 25 ms',
    area: 'time-travel',
    comparison: 'graph as of a position',
    judge: atMost(million, 25, 'ms'),
  },
  {
    title: 'pages read per position',
    goal: '≤ 1.5 × those at 10,000 events',
    area: 'time-travel',
    comparison: 'graph as of a position',
    judge: ({ contestants }) => {
      const pages = (events: string) => Number(contestants.find(({ name }) => name === events)?.observations?.['pages per read']);
      const times = pages(million) / pages('10,000 events');
      return { measured: `${short(times)} ×`, isMet: times <= 1.5 };
    },
  },
  {
    title: 'resume of a million events to its first new batch',
    goal: '≤ 1 s',
    area: 'resume',
    comparison: 'resume to the first new batch',
    judge: atMost(million, 1_000, 'ms'),
  },
  ...['runs', 'history of one pipeline', 'status of the newest run'].map(
    (comparison): Target => ({
      title: `${comparison}, in a store with 10,000 runs`,
      goal: '≤ 1 s',
      area: 'runs',
      comparison,
      judge: atMost('10,000 runs', 1_000, 'ms'),
    }),
  ),
  ...['errors --all', 'errors --export'].map(
    (action): Target => ({
      title: `${action} of 100,000 rejected rows`,
      goal: '≤ 5 s',
      area: 'losses',
      comparison: `time of ${action}`,
      judge: atMost('200,000 rows', 5, 's'),
    }),
  ),
  ...['retry', 'export after'].flatMap((action): readonly Target[] => [
    {
      title: `memory of ${action === 'retry' ? 'a retry' : 'an export after it'} of 100,000 rejected rows`,
      goal: '≤ 1.2 × the run that rejected them',
      area: 'losses',
      comparison: 'peak memory at 200,000 rows',
      judge: (found) => {
        const times = 1 / ratioTo({ ...found, base: 'run' }, action);
        return { measured: `${short(times)} ×`, isMet: times <= 1.2 };
      },
    },
    {
      title: `memory of ${action === 'retry' ? 'a retry' : 'an export after it'}, up to 100,000 rejected rows`,
      goal: '≤ 1.2 × that of 10,000',
      area: 'losses',
      comparison: `peak memory of ${action}`,
      judge: noMoreThanFirst(1.2),
    },
  ]),
  {
    title: 'a million rows through three steps',
    goal: '≥ 20 × Distilabel',
    area: 'engine',
    comparison: '1,000,000 rows',
    judge: timesAll(20, ['Distilabel 1.5.3'], ['distilog, in memory']),
  },
  {
    title: 'cost per row, up to three million rows',
    goal: '≤ 1.2 × that at 10,000',
    area: 'engine',
    comparison: 'cost per row',
    judge: noMoreThanFirst(1.2),
  },
  ...['100', '200', '1,000'].flatMap((inFlight) =>
    ['one step', 'a chain of 3'].map(
      (steps): Target => ({
        title: `calls with a heavy tail, ${inFlight} in flight, ${steps}`,
        goal: '≥ 0.95 × p-map',
        area: 'engine',
        comparison: `calls with a heavy tail, ${inFlight} in flight, ${steps}`,
        judge: timesAll(0.95, ['p-map, in memory']),
      }),
    ),
  ),
  {
    title: 'cost per event, up to three million events',
    goal: '≤ 1.2 × that at 10,000',
    area: 'time-travel',
    comparison: 'writing such a log',
    judge: noMoreThanFirst(1.2),
  },
  ...['20,000 rows of 1,021 bytes, 100 per batch', '20,000 rows of 1,021 bytes, 1,000 per batch'].map(
    (comparison): Target => ({
      title: `stored bytes, ${comparison}`,
      goal: '≤ 0.35 × the leaf rows as JSON lines',
      area: 'storage',
      comparison,
      judge: (found) => {
        const share = 1 / ratioTo(found, 'leaf rows as JSON lines');
        return { measured: `${short(share)} ×`, isMet: share <= 0.35 };
      },
    }),
  ),
];

/** Judges whether distilog is `times` as fast as each named contestant. The ceiling is the work of all `limits`, one after the other. */
function timesAll(times: number, names: readonly string[], limits: readonly string[] = []): Target['judge'] {
  return (comparison) => {
    const ratiosOf = (from: Comparison) =>
      names.map((name) => ({ name, ratio: ratioTo(from, name) })).filter(({ ratio }) => !Number.isNaN(ratio));
    const leastOf = (from: Comparison) => Math.min(...ratiosOf(from).map(({ ratio }) => ratio));
    const limit = joinContestants(comparison, limits);
    const withLimit = { ...comparison, contestants: [...comparison.contestants, limit] };
    const ofLimit = ratioTo(withLimit, limit.name);
    const reach = leastOf({ ...withLimit, base: limit.name });
    return {
      measured: ratiosOf(comparison)
        .map(({ name, ratio }) => `${short(ratio)} × ${name}`)
        .join(', '),
      isMet: leastOf(comparison) >= times,
      limit: Number.isNaN(ofLimit) ? '' : `${limit.name}: ${short(reach)} ×, distilog reaches ${Math.round(100 * ofLimit)} % of it`,
    };
  };
}

/** Returns a contestant that does the work of several, one after the other: their times add up. */
function joinContestants({ contestants }: Comparison, names: readonly string[]): Contestant {
  const all = names.map((name) => contestants.find((contestant) => contestant.name === name)?.figures ?? []);
  const figures = (all[0] ?? []).map((_, round) => 1 / all.reduce((sum, series) => sum + 1 / (series[round] ?? Number.NaN), 0));
  return { name: names.join(', then '), figures };
}

/** Judges the ratio of the largest figure to that of the first contestant, which is the smallest of several sizes. */
function noMoreThanFirst(times: number): Target['judge'] {
  return ({ contestants }) => {
    const medians = contestants.map(({ figures }) => median(figures));
    const most = Math.max(...medians) / (medians[0] ?? Number.NaN);
    const last = (medians.at(-1) ?? Number.NaN) / (medians.at(-2) ?? Number.NaN);
    return { measured: `${short(most)} ×`, isMet: most <= times, limit: `between the two largest: ${short(last)} ×` };
  };
}

/** Judges the figure of one contestant. */
function atMost(name: string, most: number, unit: string): Target['judge'] {
  return ({ contestants }) => {
    const figure = median(contestants.find((contestant) => contestant.name === name)?.figures ?? []);
    return { measured: `${short(figure)} ${unit}`, isMet: figure <= most };
  };
}

const short = (figure: number): string => figure.toLocaleString('en-US', { maximumSignificantDigits: 3 });
