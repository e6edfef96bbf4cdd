import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline, plan, step, type Builder } from '../../../src/pipeline/index.ts';
import { faultOf, type Untyped } from './faults.ts';

const n = z.object({ n: z.int() });
const m = z.object({ m: z.int().nullable() });
interface Given {
  readonly source: Untyped;
  readonly join: Untyped;
  readonly union: Untyped;
  /** A source of rows with a column n. */
  readonly rows: ReturnType<Untyped>;
}
const planOf = (define: (given: Given) => unknown) =>
  plan(
    pipeline('test', ({ source, join, union }: Builder<{}>) => {
      const untyped = { source, join, union } as unknown as Omit<Given, 'rows'>;
      define({ ...untyped, rows: untyped.source('rows', { output: n, rows: [{ n: 1 }] }) });
    }),
  );
const add = (name: string, options = {}) => [name, { output: z.object({ [name]: z.int() }), run: () => ({}) }, options] as const;

/** A wrong definition and the expected message. */
const refused: readonly (readonly [string, (given: Given) => unknown, RegExp])[] = [
  [
    'a join of unrelated branches',
    ({ source, join, rows }) => join('j', [rows, source('other', { output: n, rows: [] })]),
    /^Step j \(.*\): rows and other have no step in common, so their rows cannot be matched\. To append one branch to the other, use union\.$/,
  ],
  [
    'a flatMap between fork and join',
    ({ join, rows }) => join('j', [rows.flatMap(...add('f')), rows.map(...add('a'))]),
    /^Step j \(.*\): step f makes new rows \(flatMap\), so its rows can no longer be matched with those of rows, where the branches part\. Move it above rows or below the join\.$/,
  ],
  [
    'a step that cuts anew between fork and join',
    ({ join, rows }) => join('j', [rows.map(...add('a', { batchSize: 7 })), rows.map(...add('b'))]),
    /step a cuts new batches, 7 rows at a time, so/,
  ],
  [
    'branches that cut anew in different ways',
    ({ join, rows }) => join('j', [rows.map(...add('a', { batchSize: 7 })), rows.map(...add('b', { batchSize: 8 }))]),
    /step a cuts new batches, 7 rows at a time, so/,
  ],
  [
    'a batch step between fork and union',
    ({ union, rows }) => union('u', [rows.batch(...add('g')), rows.map(...add('a'))]),
    /step g makes new rows \(batch\).*below the union/,
  ],
  [
    'a join of rows that a union doubles',
    ({ join, union, rows }) => join('j', [union('u', [rows.map(...add('a')), rows.map(...add('b'))]), rows.map(...add('c'))]),
    /step u may have a row several times, once from each branch \(union\)/,
  ],
  [
    'a join of rows that a union within a union doubles',
    ({ join, union, rows }) => {
      const { a, b } = rows.route('r', { branches: ['a', 'b'], to: () => 'a' });
      const twice = union('u', [a.map(...add('x')), a.map(...add('y'))]);
      return join('j', [union('all', [twice.map(...add('z')), b]), rows.map(...add('c'))]);
    },
    /step u may have a row several times, once from each branch \(union\)/,
  ],
  ['a join of one node', ({ join, rows }) => join('j', [rows]), /a join takes a list of at least two nodes/],
  ['a join of the same node twice', ({ join, rows }) => join('j', [rows, rows]), /rows is given twice/],
  ['a join of no list', ({ join, rows }) => join('j', rows), /takes a list of nodes/],
  ['a join of something else', ({ join, rows }) => join('j', [rows, {}]), /item 1 of the list is not a node of this pipeline/],
  [
    'a column that two branches have of their own',
    ({ join, rows }) => join('j', [rows.map('a', { output: m, run: () => ({}) }), rows.map('b', { output: m, run: () => ({}) })]),
    /a and b each have a column m of their own\. Collect it in a list, \{ lists: \{ m: 'ms' \} \}, or rename one of them first\./,
  ],
  [
    'a list of a column that is not there',
    ({ join, rows }) => join('j', [rows.map(...add('a')), rows.map(...add('b'))], { lists: { x: 'xs' } }),
    /lists names column x, and the branches have n, a, b/,
  ],
  [
    'a list under a name that exists',
    ({ join, rows }) => join('j', [rows.map(...add('a')), rows.map(...add('b'))], { lists: { a: 'n' } }),
    /two columns would be called n/,
  ],
  [
    'an option of join that is none',
    ({ join, rows }) => join('j', [rows.map(...add('a')), rows.map(...add('b'))], { batchSize: 3 }),
    /there is no option batchSize\. The only option is lists/,
  ],
  ['a route of no branch', ({ rows }) => rows.route('r', { branches: [], to: () => '' }), /a route has at least one branch/],
  ['a route with a branch twice', ({ rows }) => rows.route('r', { branches: ['a', 'a'], to: () => 'a' }), /branch a is named twice/],
  [
    'a branch that cannot be a name',
    ({ rows }) => rows.route('r', { branches: ['a b'], to: () => 'a b' }),
    /"a b" cannot be a branch's name/,
  ],
  [
    'a branch whose step exists',
    ({ rows }) => [rows.map(...add('r-a')), rows.route('r', { branches: ['a'], to: () => 'a' })],
    /two steps have this name/,
  ],
  [
    'a column to replace that is not there',
    ({ rows }) => rows.replace('x', { output: m, run: () => ({}) }),
    /there is no column m to replace: rows has n\. To add one, use map\./,
  ],
  ['a flatMap that adds what exists', ({ rows }) => rows.flatMap('x', { output: n, run: () => [] }), /column n exists: rows has it/],
  ['everything dropped', ({ rows }) => rows.drop('d', ['n']), /no column of rows is left: it has n/],
  ['a rename of nothing', ({ rows }) => rows.rename('x', {}), /rename takes an object/],
  ['a rename of a column that is not there', ({ rows }) => rows.rename('x', { m: 'k' }), /there is no column m; rows has n/],
  ['two columns renamed alike', ({ rows }) => rows.map(...add('a')).rename('x', { a: 'n' }), /two columns would be called n/],
  ['a rename to no name', ({ rows }) => rows.rename('x', { n: '' }), /"" cannot be a column's name/],
  [
    "a column of the engine's own",
    ({ rows }) => rows.rename('x', { n: 'distilog:n' }),
    /names that begin with distilog: are the engine's own/,
  ],
  ['nothing to be non-null', ({ rows }) => rows.nonNull('x', []), /nonNull takes a list of at least one column/],
  [
    'a batchSize of a global step',
    ({ rows }) => rows.global('x', { output: m, run: () => [] }, { batchSize: 5 }),
    /a global step is one batch of all rows: it has no batchSize/,
  ],
  [
    'a batchSize of an ordered union',
    ({ union, rows }) => union('u', [rows.map(...add('a')), rows.map(...add('b'))], { batchSize: 5 }),
    /so it has no batchSize/,
  ],
  [
    'a flatMap step given to map',
    ({ rows }) => rows.map('x', step.flatMap({ id: 'f', version: 1, input: n, output: m, run: () => [] })),
    /a flatMap step was given to map/,
  ],
  ['a map without run', ({ rows }) => rows.mapBatch('x', { output: m }), /a mapBatch is an object with output and a function run/],
];

describe('an operator is refused', () => {
  it.each(refused)('for %s', (_what, define, message) => {
    expect(faultOf('invalid-pipeline', () => planOf(define)).message).toMatch(message);
  });
});

const cutsOf = (define: (given: Given) => unknown) =>
  Object.fromEntries(
    Array.from(planOf(define).steps.values(), ({ name, cut, fork }) => [name, { ...cut, ...(fork === null ? {} : { fork }) }]),
  );

describe('an operator', () => {
  it('cuts new batches after steps whose batches have any size', () => {
    const cuts = cutsOf(({ rows }) => {
      rows
        .flatMap(...add('many'))
        .map(...add('after'))
        .filter('kept', { keep: () => true });
      rows.batch(...add('grouped', { batchSize: 9 })).map(...add('behind', { batchSize: 4 }));
      rows.global(...add('whole')).select('only', ['whole']);
    });
    expect(cuts).toMatchObject({
      many: { kind: 'aligned' },
      after: { kind: 'recut', rows: 1_000 },
      kept: { kind: 'aligned' },
      grouped: { kind: 'recut', rows: 9 },
      behind: { kind: 'recut', rows: 4 },
      whole: { kind: 'whole' },
      only: { kind: 'recut', rows: 1_000 },
    });
  });

  it('finds where branches part: directly, through other joins, after a step that all of them cut alike', () => {
    const cuts = cutsOf(({ join, union, rows }) => {
      const a = rows.map(...add('a'));
      const inner = join('inner', [a.map(...add('b')), a.map(...add('c'))]);
      join('outer', [inner, rows.map(...add('d'))]);
      join('itself', [rows, rows.map(...add('e'))]);
      const many = rows.flatMap(...add('many'));
      join('alike', [many.map(...add('f')), many.filter('g', { keep: () => true }).map(...add('h'))]);
      const { left, right } = rows.route('way', { branches: ['left', 'right'], to: () => 'left' });
      join('through', [union('both', [left, right.map(...add('i'))]), a]);
    });
    expect(cuts).toMatchObject({
      inner: { kind: 'aligned', fork: 'a' },
      outer: { kind: 'aligned', fork: 'rows' },
      itself: { fork: 'rows' },
      alike: { fork: 'many' },
      both: { kind: 'aligned', fork: 'way' },
      through: { fork: 'rows' },
    });
  });

  it('appends branches without a common step to one another', () => {
    const cuts = cutsOf(({ source, union, rows }) => union('u', [rows, source('other', { output: m, rows: [] })], { batchSize: 50 }));
    expect(cuts['u']).toEqual({ kind: 'recut', rows: 50 });
  });

  it('lists the columns of its rows, with their types', () => {
    const { definition } = planOf(({ join, union, rows }) => {
      const a = rows.map('a', { output: m, run: () => ({}) });
      const b = rows.map('b', { output: z.object({ m: z.string() }), run: () => ({}) });
      join('j', [a, b], { lists: { m: 'all' } });
      union('u', [a, rows.map(...add('c'))]);
      a.nonNull('k', ['m']).rename('l', { m: 'known' });
      a.replace('o', { output: n, run: () => ({}) });
    });
    const columnsOf = (name: string) => definition.steps.find((each) => each.name === name)?.columns;
    const integer = expect.objectContaining({ type: 'integer' }) as unknown;
    expect(columnsOf('j')).toEqual([
      { name: 'n', schema: integer },
      { name: 'all', schema: { type: 'array', items: { anyOf: [{ anyOf: [integer, { type: 'null' }] }, { type: 'string' }] } } },
    ]);
    expect(columnsOf('u')?.map(({ name }) => name)).toEqual(['n', 'm', 'c']);
    expect(columnsOf('u')?.[2]?.schema).toEqual({ anyOf: [integer, { type: 'null' }] });
    expect(columnsOf('k')?.[1]).toEqual({ name: 'm', schema: integer });
    expect(columnsOf('l')?.map(({ name }) => name)).toEqual(['n', 'known']);
  });

  it('has no default time-out if it reads all rows', () => {
    const { steps } = planOf(({ rows }) => rows.global(...add('g')));
    expect(steps.get('g')?.options.timeoutMs).toBe(2_147_483_647);
  });
});
