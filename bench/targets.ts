import Table from 'cli-table3';
import type { Comparison, Contestant } from './area.ts';
import { median, ratioTo } from './figures.ts';
import type { Report } from './report.ts';

/** What was wanted of us before anything was measured, and what came of it. */
export interface Reached {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly isMet: boolean;
  /** Where something stands in the way: what that is, how near we are to it, and how near it would be to what was wanted. */
  readonly limit: string;
}

/** Every target whose area was measured, in the order of the areas. */
export const reached = (report: Report): readonly Reached[] =>
  targets.flatMap(({ area, comparison, judge, ...target }) => {
    const found = report.measured
      .filter((measured) => measured.area === area)
      .flatMap(({ comparisons }) => comparisons)
      .find(({ what }) => what.startsWith(comparison));
    return found ? [{ limit: '', ...target, ...judge(found) }] : [];
  });

const head = ['', 'wanted', 'measured', '', 'what stands in the way, and what it would reach'] as const;

/** The targets as a terminal shows them. */
export function targetsTable(report: Report): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] }, wordWrap: true, colWidths: [30, 24, 30, 8, 40] });
  for (const row of rows(report)) table.push([...row]);
  return table.toString();
}

/** The targets as lines of Markdown. */
export const targetsMarkdown = (report: Report): readonly string[] => [
  `| ${head.join(' | ')} |`,
  '|---|---|---|---|---|',
  ...rows(report).map((cells) => `| ${cells.join(' | ')} |`),
];

const rows = (report: Report): readonly (readonly string[])[] =>
  reached(report).map(({ what, wanted, measured, isMet, limit }) => [what, wanted, measured, isMet ? 'met' : 'missed', isMet ? '' : limit]);

interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly area: string;
  /** How the title of the comparison begins that tells. */
  readonly comparison: string;
  readonly judge: (comparison: Comparison) => Pick<Reached, 'measured' | 'isMet'> & Partial<Pick<Reached, 'limit'>>;
}

const eventStores = ['Emmett', 'evtstore', 'castore', 'message-db'];
const million = '1,000,000 events';
/** What nobody can outrun whose events have an order and a chain. */
const chained = 'bare INSERT, chained';
const stepEngines = ['DBOS', 'openworkflow', 'absurd'];

const targets: readonly Target[] = [
  {
    what: 'append, 64 callers × 1 event',
    wanted: '≥ 5 × the fastest event store',
    area: 'append',
    comparison: '64 callers × 1 event',
    judge: timesAll(5, eventStores, [chained]),
  },
  {
    what: 'append, 8 callers × 100 events',
    wanted: '≥ 0.9 × bare INSERT',
    area: 'append',
    comparison: '8 callers × 100 events',
    judge: timesAll(0.9, ['bare INSERT'], [chained]),
  },
  {
    what: 'append, 8 callers × 100 events',
    wanted: '≥ 3 × Emmett',
    area: 'append',
    comparison: '8 callers × 100 events',
    judge: timesAll(3, ['Emmett'], [chained]),
  },
  {
    what: 'durable steps, 1,000 workflows × 4',
    wanted: '≥ 10 × DBOS, openworkflow, absurd',
    area: 'steps',
    comparison: '1000 workflows × 4 steps, 100 at once; ours in batches as they come',
    judge: timesAll(10, stepEngines),
  },
  ...['small rows to Parquet', 'rows of a kilobyte to Parquet'].map(
    (what, index): Target => ({
      what,
      wanted: '≥ 0.5 × DuckDB COPY',
      area: 'distiset',
      comparison: index === 0 ? '100,000 rows of' : '50,000 rows of',
      judge: timesAll(0.5, ['DuckDB COPY'], ['parsed, made canonical and hashed only', 'hyparquet-writer alone']),
    }),
  ),
  {
    what: 'memory of an export',
    wanted: 'flat from 100,000 rows to two million',
    area: 'distiset',
    comparison: 'peak memory',
    judge: noMoreThanFirst(1.2),
  },
  {
    what: 'graph as of a position, a million events',
    wanted: 'p99 ≤ 25 ms',
    area: 'time-travel',
    comparison: 'graph as of a position',
    judge: atMost(million, 25, 'ms'),
  },
  {
    what: 'pages read for it',
    wanted: '≤ 1.5 × those at 10,000',
    area: 'time-travel',
    comparison: 'graph as of a position',
    judge: ({ contestants }) => {
      const pages = (events: string) => Number(contestants.find(({ name }) => name === events)?.seen?.['pages a look']);
      const times = pages(million) / pages('10,000 events');
      return { measured: `${short(times)} ×`, isMet: times <= 1.5 };
    },
  },
  {
    what: 'resume of a million events to its first new batch',
    wanted: '≤ 1 s',
    area: 'resume',
    comparison: 'resume to the first new batch',
    judge: atMost(million, 1_000, 'ms'),
  },
  ...['runs', 'history of one pipeline', 'status of the newest run'].map(
    (comparison): Target => ({
      what: `${comparison}, in a store with 10,000 runs`,
      wanted: '≤ 1 s',
      area: 'runs',
      comparison,
      judge: atMost('10,000 runs', 1_000, 'ms'),
    }),
  ),
  ...['errors --all', 'errors --export'].map(
    (action): Target => ({
      what: `${action} of 100,000 rejected rows`,
      wanted: '≤ 5 s',
      area: 'losses',
      comparison: `time of ${action}`,
      judge: atMost('200,000 rows', 5, 's'),
    }),
  ),
  ...['retry', 'export after'].flatMap((action): readonly Target[] => [
    {
      what: `memory of ${action === 'retry' ? 'a retry' : 'an export after it'} of 100,000 rejected rows`,
      wanted: '≤ 1.2 × the run that rejected them',
      area: 'losses',
      comparison: 'peak memory at 200,000 rows',
      judge: (found) => {
        const times = 1 / ratioTo({ ...found, base: 'run' }, action);
        return { measured: `${short(times)} ×`, isMet: times <= 1.2 };
      },
    },
    {
      what: `memory of ${action === 'retry' ? 'a retry' : 'an export after it'}, up to 100,000 rejected rows`,
      wanted: '≤ 1.2 × that of 10,000',
      area: 'losses',
      comparison: `peak memory of ${action}`,
      judge: noMoreThanFirst(1.2),
    },
  ]),
  {
    what: 'a million rows through three steps',
    wanted: '≥ 20 × Distilabel',
    area: 'engine',
    comparison: '1,000,000 rows',
    judge: timesAll(20, ['Distilabel 1.5.3'], ['distilog, in memory']),
  },
  {
    what: 'cost of a row, up to three million',
    wanted: '≤ 1.2 × that at 10,000',
    area: 'engine',
    comparison: 'cost of a row',
    judge: noMoreThanFirst(1.2),
  },
  ...['100', '200', '1,000'].flatMap((inFlight) =>
    ['one step', 'a chain of 3'].map(
      (steps): Target => ({
        what: `calls with a heavy tail, ${inFlight} in flight, ${steps}`,
        wanted: '≥ 0.95 × p-map',
        area: 'engine',
        comparison: `calls with a heavy tail, ${inFlight} in flight, ${steps}`,
        judge: timesAll(0.95, ['p-map, nothing kept']),
      }),
    ),
  ),
  {
    what: 'cost of an event, up to three million',
    wanted: '≤ 1.2 × that at 10,000',
    area: 'time-travel',
    comparison: 'writing such a log',
    judge: noMoreThanFirst(1.2),
  },
  ...['20,000 rows of 1,021 bytes, 100 a batch', '20,000 rows of 1,021 bytes, 1,000 a batch'].map(
    (comparison): Target => ({
      what: `stored bytes, ${comparison}`,
      wanted: '≤ 0.35 × the leaf rows as JSON lines',
      area: 'storage',
      comparison,
      judge: (found) => {
        const share = 1 / ratioTo(found, 'leaf rows as JSON lines');
        return { measured: `${short(share)} ×`, isMet: share <= 0.35 };
      },
    }),
  ),
];

/** So many times as fast as each of these; the limits are what nobody who does the same could outrun, one after the other. */
function timesAll(times: number, names: readonly string[], limits: readonly string[] = []): Target['judge'] {
  return (comparison) => {
    const ratiosOf = (from: Comparison) =>
      names.map((name) => ({ name, ratio: ratioTo(from, name) })).filter(({ ratio }) => !Number.isNaN(ratio));
    const leastOf = (from: Comparison) => Math.min(...ratiosOf(from).map(({ ratio }) => ratio));
    const limit = oneAfterTheOther(comparison, limits);
    const withLimit = { ...comparison, contestants: [...comparison.contestants, limit] };
    const ofLimit = ratioTo(withLimit, limit.name);
    const reach = leastOf({ ...withLimit, base: limit.name });
    return {
      measured: ratiosOf(comparison)
        .map(({ name, ratio }) => `${short(ratio)} × ${name}`)
        .join(', '),
      isMet: leastOf(comparison) >= times,
      limit: Number.isNaN(ofLimit) ? '' : `${limit.name}: ${short(reach)} ×, and we are at ${Math.round(100 * ofLimit)} % of it`,
    };
  };
}

/** Contestants' work of each round done by one who does all of it: what takes its time adds up. */
function oneAfterTheOther({ contestants }: Comparison, names: readonly string[]): Contestant {
  const all = names.map((name) => contestants.find((contestant) => contestant.name === name)?.figures ?? []);
  const figures = (all[0] ?? []).map((_, round) => 1 / all.reduce((sum, each) => sum + 1 / (each[round] ?? Number.NaN), 0));
  return { name: names.join(', then '), figures };
}

/** The largest figure beside that of the first contestant, which is the smallest of several sizes. */
function noMoreThanFirst(times: number): Target['judge'] {
  return ({ contestants }) => {
    const medians = contestants.map(({ figures }) => median(figures));
    const most = Math.max(...medians) / (medians[0] ?? Number.NaN);
    const last = (medians.at(-1) ?? Number.NaN) / (medians.at(-2) ?? Number.NaN);
    return { measured: `${short(most)} ×`, isMet: most <= times, limit: `between the two largest: ${short(last)} ×` };
  };
}

/** The figure of one contestant. */
function atMost(name: string, most: number, unit: string): Target['judge'] {
  return ({ contestants }) => {
    const figure = median(contestants.find((contestant) => contestant.name === name)?.figures ?? []);
    return { measured: `${short(figure)} ${unit}`, isMet: figure <= most };
  };
}

const short = (figure: number): string => figure.toLocaleString('en-US', { maximumSignificantDigits: 3 });
