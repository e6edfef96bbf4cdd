import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline, plan, renamed, step, type Node } from '../../../src/pipeline/index.ts';
import { faultOf, planned, type Untyped } from './faults.ts';

const n = z.object({ n: z.int() });
const rows = (source: Untyped, name = 'rows') => source(name, { output: n, rows: [{ n: 1 }] });
const sourceOf = (column: z.ZodType) => (source: Untyped) => source('s', { output: z.object({ c: column }), rows: [] });

/** A wrong definition and the expected message. */
const cases: readonly (readonly [string, (source: Untyped) => unknown, RegExp])[] = [
  ['no step', () => undefined, /^Pipeline test has no step\. Begin with a source\.$/],
  [
    'an empty name',
    (source) => rows(source, ''),
    /^\(definition-errors\.test\.ts:\d+\): "" cannot be a step's name: use letters, digits, _ and -, at most 64\.$/,
  ],
  ['a name with a slash', (source) => rows(source, 'a/b'), /"a\/b" cannot be a step's name/],
  ['a name that begins with a dash', (source) => rows(source, '-a'), /"-a" cannot be a step's name/],
  ['a name with a line break at its end', (source) => rows(source, 'a\n'), /"a\\n" cannot be a step's name/],
  ['a name that is too long', (source) => rows(source, 'a'.repeat(65)), /cannot be a step's name/],
  ['a name that is no text', (source) => rows(source, 7 as never), /7 cannot be a step's name/],
  ['an unknown column in select', (source) => rows(source).select('s', ['nope']), /^Step s \(.*\): there is no column nope; rows has n\.$/],
  ['a column selected twice', (source) => rows(source).select('s', ['n', 'n']), /column n is named twice/],
  ['nothing selected', (source) => rows(source).select('s', []), /select takes a list of at least one column/],
  ['one column instead of a list', (source) => rows(source).select('s', 'n'), /select takes a list/],
  [
    'an existing column',
    (source) => rows(source).map('m', { output: n, run: () => ({ n: 1 }) }),
    /^Step m \(.*\): column n exists: rows has it\. Give the new one another name, or use replace\.$/,
  ],
  ['a date', sourceOf(z.date()), /^Step s \(.*\): column c is a Date: use z\.iso\.datetime\(\)\.$/],
  ['a date in a list of objects', sourceOf(z.array(z.object({ at: z.date() }))), /column c is a Date: use z\.iso\.datetime\(\)/],
  ['a date in a union', sourceOf(z.union([z.string(), z.date()])), /column c is a Date/],
  ['a coerced date', sourceOf(z.coerce.date()), /column c is a Date/],
  ['a bigint', sourceOf(z.bigint()), /column c is a bigint: use z\.int\(\) or z\.string\(\)/],
  [
    'a transform at the end',
    sourceOf(z.string().transform((s) => s.length)),
    /column c ends in a transform, .*for example \.pipe\(z\.string\(\)\)\.$/,
  ],
  ['a transform in a member', sourceOf(z.object({ t: z.string().transform(Number) })), /column c ends in a transform/],
  ['a Map', sourceOf(z.map(z.string(), z.string())), /column c is a Map: use z\.record\(\)/],
  ['a Set', sourceOf(z.set(z.string())), /column c is a Set: use z\.array\(\)/],
  ['a symbol', sourceOf(z.symbol()), /column c is a symbol/],
  ['a column that is always NaN', sourceOf(z.nan()), /column c is NaN/],
  ['an own type', sourceOf(z.instanceof(URL)), /column c is of a custom type: give a schema of JSON/],
  ['any value', sourceOf(z.any()), /column c may be anything: use z\.json\(\)/],
  ['unnamed members within a column', sourceOf(z.looseObject({ a: z.string() })), /column c may be anything: use z\.json\(\)/],
  ['a date behind a getter', sourceOf(z.lazy(() => z.array(z.date()))), /column c is a Date/],
  [
    'an optional column',
    sourceOf(z.string().optional()),
    /column c may be missing: a column is in every row, use \.nullable\(\) instead of \.optional\(\)\.$/,
  ],
  ['a column that may be undefined', sourceOf(z.union([z.string(), z.undefined()])), /column c may be (missing|undefined).*\.nullable\(\)/],
  [
    'unnamed columns',
    (source) => source('s', { output: z.looseObject({ c: z.string() }), rows: [] }),
    /columns must be named: no z\.looseObject\(\), no \.catchall\(\)/,
  ],
  ['a catchall', (source) => source('s', { output: z.object({ c: z.string() }).catchall(z.string()), rows: [] }), /columns must be named/],
  ['no column', (source) => source('s', { output: z.object({}), rows: [] }), /output has no column/],
  [
    'more columns than are stored',
    (source) => source('s', { output: z.object(Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`c${i}`, z.int()]))), rows: [] }),
    /output has 2001 columns; at most 2000/,
  ],
  ['an output that is no object', (source) => source('s', { output: z.string(), rows: [] }), /output must be a z\.object/],
  ['an output that is no schema', (source) => source('s', { output: { n: 'int' }, rows: [] }), /output must be a z\.object/],
  ['no output', (source) => source('s', { rows: [] }), /output must be a z\.object/],
  [
    'a transform around the object',
    (source) => source('s', { output: n.transform((it) => it), rows: [] }),
    /output must be a z\.object.*without a transform/,
  ],
  [
    'a column called __proto__',
    (source) =>
      source('s', {
        output: z.object(JSON.parse('{"__proto__":1}', (key, value: unknown) => (key === '__proto__' ? z.string() : value)) as never),
        rows: [],
      }),
    /"__proto__" cannot be a column's name/,
  ],
  ['a column without a name', (source) => source('s', { output: z.object({ '': z.string() }), rows: [] }), /"" cannot be a column's name/],
  [
    'a column whose name PostgreSQL cannot hold',
    (source) => source('s', { output: z.object({ 'a\0': z.string() }), rows: [] }),
    /cannot be a column's name/,
  ],
  ['neither rows nor read', (source) => source('s', { output: n }), /a source has either rows or read/],
  ['both rows and read', (source) => source('s', { output: n, rows: [], read: () => [] }), /a source has either rows or read/],
  ['rows that are none', (source) => source('s', { output: n, rows: 7 }), /rows must be a list, an iterable or a function/],
  ['a read that is no function', (source) => source('s', { output: n, read: [] }), /read must be a function/],
  ['a source that is nothing', (source) => source('s'), /a source is an object with output, and rows or read/],
  [
    'a map without run',
    (source) => rows(source).map('m', { output: z.object({ m: z.int() }) }),
    /a map is an object with output and a function run/,
  ],
  ['a function alone as map', (source) => rows(source).map('m', () => ({ m: 1 })), /a map is an object with output and a function run/],
  ['a filter without keep', (source) => rows(source).filter('f', () => true), /a filter is an object with a function keep/],
  [
    'batchSize 0',
    (source) => source('s', { output: n, rows: [], batchSize: 0 }),
    /^Step s \(.*\): batchSize must be a whole number from 1 to 1000000, and is 0\.$/,
  ],
  ['batchSize 1.5', (source) => source('s', { output: n, rows: [], batchSize: 1.5 }), /batchSize .* is 1\.5/],
  ['batchSize as text', (source) => source('s', { output: n, rows: [], batchSize: '10' }), /batchSize must be a whole number/],
  ['concurrency without end', (source) => source('s', { output: n, rows: [], concurrency: Infinity }), /concurrency .* is Infinity/],
  ['no time at all', (source) => source('s', { output: n, rows: [], timeoutMs: 0 }), /timeoutMs .* is 0/],
  ['no attempt', (source) => source('s', { output: n, rows: [] }, { retry: { attempts: 0 } }), /attempts .* is 0/],
  [
    'onError that is neither',
    (source) => source('s', { output: n, rows: [], onError: 'ignore' }),
    /onError must be 'reject' or 'fail', and is ignore/,
  ],
  [
    'an unknown option beside the step',
    (source) => source('s', { output: n, rows: [] }, { concurency: 3 }),
    /^Step s \(.*\): there is no option concurency\. The options are batchSize, concurrency, /,
  ],
  [
    'an unknown option within the step',
    (source) => source('s', { output: n, rows: [], concurency: 3 }),
    /^Step s \(.*\): there is no option concurency\. The options are .*batchSize, concurrency, /,
  ],
  [
    'an unknown retry option',
    (source) => source('s', { output: n, rows: [], retry: { atempts: 3 } }),
    /there is no option retry\.atempts\. The options are attempts, backoffMs/,
  ],
  ['retry as a number', (source) => source('s', { output: n, rows: [], retry: 3 }), /retry is an object: \{ attempts: 3 \}/],
  ['options that are no object', (source) => source('s', { output: n, rows: [] }, 5), /options are an object/],
  [
    'captures that are no data',
    (source) => source('s', { output: n, rows: [], captures: { f: () => 1 } }),
    /^Step s \(.*\): captures must be JSON: a function is not JSON\.$/,
  ],
  [
    'a map step where a filter is wanted',
    (source) => rows(source).filter('f', { kind: 'map', keep: () => true }),
    /a map step was given to filter/,
  ],
  [
    'a filter step where a map is wanted',
    (source) => rows(source).map('m', { kind: 'filter', output: z.object({ m: z.int() }), run: () => ({ m: 1 }) }),
    /a filter step was given to map/,
  ],
  ['a single leaf without a name', (source) => rows(source), /returns its leaves by name/],
  ['text returned', (source) => (rows(source), 'rows'), /a definition returns its leaves by name, \{ leaf \}, or nothing/],
  [
    'something else returned as a leaf',
    (source) => ({ leaf: (rows(source), 'rows') }),
    /the returned value leaf is not a node of this pipeline\. Return \{ name: node \}, or nothing/,
  ],
];

describe('a definition is refused', () => {
  it.each(cases)('for %s', (_what, define, says) => {
    const isSingle = says.source.includes('leaves by name');
    const { message } = faultOf('invalid-pipeline', () =>
      planned((source) => (isSingle || says.source.includes('returned value') ? define(source) : void define(source))),
    );
    expect(message).toMatch(says);
    expect(message, 'one sentence or more').toMatch(/\.$/);
  });

  it('for a name that is in use, with the places of both steps', () => {
    const { message, details } = faultOf('invalid-pipeline', () =>
      planned((source) => {
        const all = rows(source);
        all.filter('twice', { keep: () => true });
        all.filter('twice', { keep: () => true });
      }),
    );
    const [, second, first] =
      /^Step twice \(definition-errors\.test\.ts:(\d+)\): two steps have this name; the first \(definition-errors\.test\.ts:(\d+)\)\. Rename one\.$/.exec(
        message,
      ) ?? [];
    expect(Number(second)).toBe(Number(first) + 1);
    expect(details).toEqual({ step: 'twice' });
  });

  it('for a node of another pipeline', () => {
    let foreign: Node<unknown> | undefined;
    planned((source) => void (foreign = rows(source)));
    const { message } = faultOf('invalid-pipeline', () => planned((source) => ({ here: rows(source), foreign })));
    expect(message).toMatch(/the returned value foreign is not a node of this pipeline/);
  });

  it('for being asynchronous', () => {
    const { message } = faultOf('invalid-pipeline', () => planned(async (source) => void rows(source)));
    expect(message).toMatch(
      /^Pipeline test is defined by an async function, but a definition is synchronous\. Await inside steps and sources instead\.$/,
    );
  });

  it('for being asynchronous and failing, which leaves no unhandled rejection', async () => {
    faultOf('invalid-pipeline', () => planned(async () => Promise.reject(new Error('later'))));
    await new Promise(setImmediate);
  });

  it('for throwing, with the place and the error', () => {
    const { message, cause } = faultOf('invalid-pipeline', () => planned((source) => rows(source).mapp('m')));
    expect(message).toMatch(/^Pipeline test threw while it was defined \(definition-errors\.test\.ts:\d+\): .*mapp is not a function\.$/);
    expect(cause).toBeInstanceOf(TypeError);
  });

  it('for a missing definition', () => {
    const { message } = faultOf('invalid-pipeline', () => plan((pipeline as Untyped)('test', {})));
    expect(message).toMatch(/^Pipeline test has no definition\. Write pipeline\('test', \(\{ source \}\) => \{ … \}\)\.$/);
  });

  it('for params that are not a schema', () => {
    const { message } = faultOf('invalid-pipeline', () => plan((pipeline as Untyped)('test', { params: { limit: 1 } }, () => undefined)));
    expect(message).toMatch(/^The params of pipeline test must be a z\.object\(\{ … \}\)\.$/);
  });

  it('for a name that a pipeline cannot have', () => {
    for (const name of ['', 'a b', 'ä', undefined, 'x'.repeat(65)]) {
      const { message } = faultOf('invalid-pipeline', () =>
        plan(pipeline(name as string, ({ source }) => void source('s', { output: n, rows: [] }))),
      );
      expect(message).toMatch(/cannot be a pipeline's name: use letters, digits, _ and -, at most 64/);
    }
  });

  it('for being different the second time', () => {
    let runs = 0;
    const { message } = faultOf('invalid-pipeline', () =>
      planned((source) => void source('s', { output: n, rows: [], batchSize: ++runs })),
    );
    expect(message).toMatch(/was different when its definition ran a second time/);
    let again = 0;
    faultOf('invalid-pipeline', () => planned((source) => void source(`s${++again}`, { output: n, rows: [] })));
    let more = 0;
    faultOf('invalid-pipeline', () =>
      planned((source) => {
        const all = rows(source);
        if (++more > 1) all.filter('f', { keep: () => true });
      }),
    );
    let captures = 0;
    faultOf('invalid-pipeline', () => planned((source) => void source('s', { output: n, rows: [], captures: { at: ++captures } })));
  });

  it('for a shared step whose input is missing, with a hint to rename', () => {
    const answer = step.map({
      id: 'answer',
      version: 1,
      input: z.object({ question: z.string() }),
      output: z.object({ answer: z.string() }),
      run: ({ question }) => ({ answer: question }),
    });
    const { message } = faultOf('invalid-pipeline', () => planned((source) => rows(source).map('a', answer)));
    expect(message).toMatch(
      /^Step a \(.*\): it reads column question, and rows has n\. Rename with renamed\(step, \{ question: '…' \}\)\.$/,
    );
    const swapped = renamed(answer, { question: 'nope' });
    expect(faultOf('invalid-pipeline', () => planned((source) => rows(source).map('a', swapped))).message).toMatch(/it reads column nope/);
  });

  it('for more steps than a pipeline can have', () => {
    const { message } = faultOf('invalid-pipeline', () =>
      planned((source) => {
        for (let i = 0; i <= 1_000; i++) rows(source, `s${i}`);
      }),
    );
    expect(message).toMatch(/a pipeline has at most 1000 steps/);
  });

  it('for an invalid concurrency, or one of an unknown step', () => {
    expect(faultOf('invalid-pipeline', () => planned((source) => void rows(source), { concurrency: { nope: 2 } })).message).toMatch(
      /^--concurrency names step nope, which does not exist\. The pipeline has rows\.$/,
    );
    expect(faultOf('invalid-pipeline', () => planned((source) => void rows(source), { concurrency: { rows: 0 } })).message).toMatch(
      /calls in flight are a whole number from 1 to 10000/,
    );
  });
});

describe('a definition may', () => {
  it('name steps and columns like members of every object', () => {
    const { manifest } = planned((source) => {
      source('constructor', { output: z.object({ toString: z.string(), constructor: z.int() }), rows: [] }).filter('valueOf', {
        keep: () => true,
      });
    });
    expect(manifest.steps.map((it) => [it.name, it.options.concurrency])).toEqual([
      ['constructor', 10],
      ['valueOf', 10],
    ]);
    expect(manifest.steps[0]?.adds).toEqual(['toString', 'constructor']);
  });

  it('return nothing, null or its leaves', () => {
    for (const returned of [() => undefined, () => null, (leaf: unknown) => ({ leaf })]) {
      expect(planned((source) => returned(rows(source))).manifest.steps).toHaveLength(1);
    }
  });

  it('end a transform in a pipe', () => {
    const { definition } = planned((source) => void sourceOf(z.string().transform(Number).pipe(z.int()))(source));
    expect(definition.steps[0]?.columns).toMatchObject([{ name: 'c', schema: { type: 'integer' } }]);
  });
});
