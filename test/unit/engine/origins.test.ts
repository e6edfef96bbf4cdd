// What functions get as `key` and `seed`: made of the row's origin, so the same at every attempt, in every pass, and whatever becomes of other rows.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { memoryStore } from '../../../src/log/index.ts';
import { NonRetryableError, pipeline, plan, RetryableError, type Context, type Plan } from '../../../src/pipeline/index.ts';
import { hashed } from '../random.ts';
import { eventsOf, ran } from './engine.ts';

const number = z.object({ n: z.int() });
const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

/** The rest of a key behind the run's id, and the seed. */
const given = ({ key, seed }: Context): string => `${key.slice(key.indexOf('/') + 1)} ${seed}`;

describe('the key and seed of a row', () => {
  it('that is tried again in a later pass are its own, not those of the row that was first in its batch', async () => {
    const seen = new Map<number, string[]>();
    let isMended = false;
    const of = pipeline('again', ({ source }) => {
      source('rows', { output: number, rows: numbers(8) }, { batchSize: 8 }).map('m', {
        output: z.object({ out: z.int() }),
        run: ({ n }, context) => {
          seen.set(n, [...(seen.get(n) ?? []), given(context)]);
          if (n === 7 && !isMended) throw new NonRetryableError('not yet');
          return { out: n };
        },
      });
    });
    const { store, runId } = await ran(of);
    isMended = true;
    const run = await retryPipeline(store, plan(of), { runId, acceptedChanges: [], concurrency: {} });
    expect(await run.drive()).toMatchObject({ rest: 'succeeded' });
    const [first, again] = seen.get(7) ?? [];
    expect(first).toMatch(/^m\/rows\/7 \d+$/);
    expect(again).toBe(first);
    expect(seen.get(0)).toHaveLength(1);
    expect(seen.get(0)).not.toContain(again);
  });

  it('are recorded as made from origins when a run starts', async () => {
    const { store, runId } = await ran(
      pipeline('recorded', ({ source }) => {
        source('rows', { output: number, rows: numbers(1) });
      }),
    );
    expect((await eventsOf(store, runId))[0]?.data).toMatchObject({ seeds: 'origin' });
  });
});

/** What differs between two runs of one pipeline: what must change no key. */
interface Variant {
  /** Of ten rows, how many a filter above lets through. */
  readonly kept: number;
  /** Batch sizes of the source, and of the steps below it. */
  readonly sizes: readonly [number, number, number];
  /** Of the items below this one, one in ten is rejected when it is read. */
  readonly unreadable: number;
}

type Operator = (name: string, step: unknown, options?: unknown) => AnyNode;

/** A node of any columns: which ones there are follows from the operator. */
interface AnyNode {
  readonly name: string;
  readonly map: Operator;
  readonly mapBatch: Operator;
  readonly flatMap: Operator;
  readonly replace: Operator;
  readonly filter: Operator;
  readonly nonNull: Operator;
  readonly select: Operator;
  readonly drop: Operator;
  readonly rename: Operator;
  readonly route: (...given: Parameters<Operator>) => { readonly odd: AnyNode; readonly even: AnyNode };
}

interface Given {
  readonly rows: AnyNode;
  readonly batchSize: number;
  readonly union: (name: string, nodes: readonly AnyNode[]) => AnyNode;
  readonly join: (name: string, nodes: readonly AnyNode[]) => AnyNode;
  /** Records what a function was given for a row. Rejects some rows until the world is repaired. */
  readonly note: (step: string, row: TableRow, context: Context) => void;
}
interface TableRow {
  /** What the row is, however it is reached. */
  readonly id: string;
  readonly n: number;
}

const column = (name: string) => z.object({ [name]: z.int() });
const mapping = ({ note }: Given, step: string) => ({
  output: column(step),
  run: (row: TableRow, context: Context) => {
    note(step, row, context);
    return { [step]: 1 };
  },
});
const filtering = ({ note }: Given, step: string, keep: (n: number) => boolean = () => true) => ({
  keep: (row: TableRow, context: Context) => {
    note(step, row, context);
    return keep(row.n);
  },
});
const routing = ({ note }: Given, step: string) => ({
  branches: ['odd', 'even'],
  to: (row: TableRow, context: Context) => {
    note(step, row, context);
    return row.n % 2 === 0 ? 'even' : 'odd';
  },
});
const copying = ({ note }: Given, step: string, copiesOf: (n: number) => number) => ({
  output: column(step),
  run: (row: TableRow, context: Context) => {
    note(step, row, context);
    return Array.from({ length: copiesOf(row.n) }, (_, copy) => ({ [step]: copy }));
  },
});
const naming = (nameOf: (row: TableRow & Readonly<Record<string, unknown>>) => unknown) => ({
  output: z.object({ id: z.string() }),
  run: (row: TableRow & Readonly<Record<string, unknown>>) => ({ id: `${row.id}${String(nameOf(row))}` }),
});

/** What stands between a filter and the step at which everything is looked at. */
const between: Readonly<Record<string, (given: Given) => AnyNode>> = {
  nothing: ({ rows }) => rows,
  map: (given) => given.rows.map('op', mapping(given, 'op'), { batchSize: given.batchSize }),
  mapBatch: ({ rows, batchSize }) =>
    rows.mapBatch(
      'op',
      {
        output: column('op'),
        run: (all: readonly TableRow[]) => all.map(({ n }) => (n % 4 === 1 ? new RetryableError('last attempt') : { op: 1 })),
      },
      { batchSize, retry: { attempts: 1 }, onError: 'reject' },
    ),
  replace: (given) =>
    given.rows.replace(
      'op',
      {
        output: column('n'),
        run: (row: TableRow, context: Context) => {
          given.note('op', row, context);
          return { n: row.n + 1 };
        },
      },
      { batchSize: given.batchSize },
    ),
  filter: (given) =>
    given.rows.filter(
      'op',
      filtering(given, 'op', (n) => n % 3 !== 0),
      { batchSize: given.batchSize },
    ),
  nonNull: ({ rows, batchSize }) => rows.nonNull('op', ['id'], { batchSize }),
  route: (given) => given.rows.route('op', routing(given, 'op'), { batchSize: given.batchSize }).odd,
  select: ({ rows, batchSize }) => rows.select('op', ['n', 'id'], { batchSize }),
  'drop and rename': (given) => {
    const more = given.rows.map('more', mapping(given, 'more'), { batchSize: given.batchSize }).map('extra', mapping(given, 'extra'));
    return more.drop('op', ['extra']).rename('renamed', { more: 'other' });
  },
  join: (given) => {
    const base = given.rows.map('base', mapping(given, 'base'), { batchSize: given.batchSize });
    const left = base.filter(
      'left',
      filtering(given, 'left', (n) => n % 3 !== 1),
    );
    return given.join('op', [left, base.map('right', mapping(given, 'right'))]);
  },
  'union of branches that hold the same rows': (given) => {
    const base = given.rows.map('base', mapping(given, 'base'), { batchSize: given.batchSize });
    const sides = [base.filter('left', filtering(given, 'left')), base.filter('right', filtering(given, 'right'))];
    return given.union(
      'op',
      sides.map((side) =>
        side.replace(
          `of-${side.name}`,
          naming(() => `@${side.name}`),
        ),
      ),
    );
  },
  'union of the branches of a route': (given) => {
    const { odd, even } = given.rows.route('way', routing(given, 'way'), { batchSize: given.batchSize });
    return given.union('op', [odd, even]);
  },
  flatMap: (given) => {
    const children = given.rows.flatMap(
      'op',
      copying(given, 'op', (n) => n % 4),
      { batchSize: given.batchSize },
    );
    return children.replace(
      'named',
      naming(({ op }) => `.${String(op)}`),
    );
  },
  'flatMap behind flatMap': (given) => {
    const children = given.rows.flatMap(
      'first',
      copying(given, 'first', (n) => n % 4),
    );
    const named = children.replace(
      'named',
      naming(({ first }) => `.${String(first)}`),
    );
    const grandchildren = named.flatMap(
      'op',
      copying(given, 'op', () => 2),
      { batchSize: given.batchSize },
    );
    return grandchildren.replace(
      'named-again',
      naming(({ op }) => `.${String(op)}`),
    );
  },
};

/** What each function was given, by step and row, over all attempts and passes of one run. */
async function givenIn(operator: string, { kept, sizes, unreadable }: Variant): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const seen = new Map<string, Set<string>>();
  let isMended = false;
  const note: Given['note'] = (step, { id }, context) => {
    const row = `${step} ${id}`;
    seen.set(row, (seen.get(row) ?? new Set()).add(given(context)));
    if (context.attempt === 1 && hashed('again', row) % 5 === 0) throw new RetryableError('once more');
    if (!isMended && hashed('reject', row) % 5 === 0) throw new NonRetryableError('not yet');
  };
  const of = pipeline('table', ({ source, union, join }) => {
    const items = Array.from({ length: 60 }, (_, n) =>
      n % 10 === 1 && n < unreadable ? new Error('no row') : { id: String(n), n: n % 10 },
    );
    const rows = source('rows', { output: z.object({ id: z.string(), n: z.int() }), rows: items }, { batchSize: sizes[0] });
    const builder = { note, batchSize: sizes[1], union: union as never, join: join as never } as const;
    const above = rows as unknown as AnyNode;
    const options = { retry: { backoffMs: 0 } };
    const passed = above.filter(
      'above',
      filtering({ ...builder, rows: above }, 'above', (n) => n < kept),
      options,
    );
    const op = between[operator] as (given: Given) => AnyNode;
    op({ ...builder, rows: passed }).map('probe', mapping({ ...builder, rows: passed }, 'probe'), { ...options, batchSize: sizes[2] });
  });
  const planned = withoutDelays(plan(of));
  const store = memoryStore();
  const options = { isRejectLimitLifted: true };
  const run = await startPipeline(store, planned, { seed: 7, ...options });
  await run.drive();
  isMended = true;
  const again = await retryPipeline(store, planned, { runId: run.runId, acceptedChanges: [], concurrency: {}, ...options });
  await again.drive();
  return seen;
}

/** Attempts follow each other at once. */
const withoutDelays = (of: Plan): Plan => ({
  ...of,
  steps: new Map(Array.from(of.steps, ([name, step]) => [name, { ...step, options: { ...step.options, backoffMs: 0 } }])),
});

describe.each(Object.keys(between))('below %s', (operator) => {
  const first: Variant = { kept: 5, sizes: [10, 10, 10], unreadable: 0 };
  const others: readonly Variant[] = [
    { ...first, kept: 6 },
    { ...first, sizes: [7, 4, 9] },
    { kept: 10, sizes: [60, 2, 33], unreadable: 0 },
    { ...first, unreadable: 60 },
  ];

  it('a row has its own key and seed in all attempts and passes, for any filters above and any cut of batches', async () => {
    const before = await givenIn(operator, first);
    for (const variant of others) {
      const after = await givenIn(operator, variant);
      for (const [row, facts] of after) expect([row, facts.size]).toEqual([row, 1]);
      const both = [...before.keys()].filter((row) => after.has(row));
      expect(both.length).toBeGreaterThan(15);
      for (const row of both) expect([row, ...(after.get(row) ?? [])]).toEqual([row, ...(before.get(row) ?? [])]);
      const keys = [...after.values()].flatMap((facts) => [...facts].map((each) => each.split(' ')[0]));
      expect(new Set(keys).size).toBe(after.size);
    }
  });
});
