import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline, plan, renamed, secret, step, type PlanOptions, type Plan } from '../../../src/pipeline/index.ts';
import { definitionSchema, manifestSchema } from '../../../schema/manifest.ts';
import { faultOf } from './faults.ts';

/** The parts of the pipeline that a test may change. */
interface Variant {
  readonly source?: object;
  readonly map?: object;
  readonly beside?: object;
  readonly filter?: object;
  readonly output?: z.ZodType;
  readonly plan?: PlanOptions;
}

function chain({ source: ofSource = {}, map = {}, beside = {}, filter = {}, output = z.int(), plan: options }: Variant = {}): Plan {
  const chained = pipeline('chain', ({ source }) => {
    source('all', { output: z.object({ n: z.int() }), rows: [{ n: 1 }], ...ofSource })
      .map('twice', { output: z.object({ twice: output as z.ZodInt }), run: ({ n }) => ({ twice: 2 * n }), ...map }, beside)
      .filter('even', { keep: ({ n }) => n % 2 === 0, ...filter })
      .select('only', ['twice']);
  });
  return plan(chained, options);
}

/** The steps whose signatures a variant changes; `pipeline` is the whole one's. */
function changedBy(variant: Variant): readonly string[] {
  const before = chain().manifest;
  const after = chain(variant).manifest;
  const steps = after.steps.filter((each, index) => each.signature !== before.steps[index]?.signature).map(({ name }) => name);
  return after.signature === before.signature ? steps : [...steps, 'pipeline'];
}

describe('a plan', () => {
  it('has the cuts, the added columns and all options of its steps', () => {
    const defaults = { batchSize: null, concurrency: 10, timeoutMs: 600_000, attempts: 3, backoffMs: 1_000, onError: 'reject' };
    expect(chain({ filter: { batchSize: 7 } }).manifest.steps.map((each) => ({ ...each, signature: undefined }))).toMatchObject([
      { name: 'all', operator: 'source', upstream: [], cut: { kind: 'source', rows: 100 }, options: defaults, adds: ['n'] },
      { name: 'twice', operator: 'map', upstream: ['all'], cut: { kind: 'aligned' }, options: defaults, adds: ['twice'] },
      {
        name: 'even',
        operator: 'filter',
        upstream: ['twice'],
        cut: { kind: 'recut', rows: 7 },
        options: { ...defaults, batchSize: 7 },
        adds: [],
      },
      { name: 'only', operator: 'select', upstream: ['even'], cut: { kind: 'aligned' }, options: defaults, adds: [] },
    ]);
  });

  it('is data as the log holds it', () => {
    const { manifest, definition } = chain({ map: { captures: { a: [1, { b: null }] } } });
    expect(manifestSchema.parse(structuredClone(manifest))).toEqual(manifest);
    expect(definitionSchema.parse(structuredClone(definition))).toEqual(definition);
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
  });

  it('prefers overrides to a step’s own options, member by member', () => {
    const { manifest } = chain({
      map: { batchSize: 5, concurrency: 2, retry: { attempts: 9, backoffMs: 0 } },
      beside: { concurrency: 4, retry: { attempts: 1 } },
      plan: { concurrency: { even: 33 } },
    });
    expect(manifest.steps[1]?.options).toMatchObject({ batchSize: 5, concurrency: 4, attempts: 1, backoffMs: 0 });
    expect(manifest.steps[2]?.options).toMatchObject({ concurrency: 33 });
  });

  it('gives workers the columns that a step reads and writes', () => {
    const { steps } = chain();
    expect(
      Array.from(steps, ([name, { inputColumns, columns, adds }]) => [name, inputColumns, columns.map((it) => it.name), adds]),
    ).toEqual([
      ['all', [], ['n'], ['n']],
      ['twice', ['n'], ['n', 'twice'], ['twice']],
      ['even', ['n', 'twice'], ['n', 'twice'], []],
      ['only', ['n', 'twice'], ['twice'], []],
    ]);
  });

  it('describes columns as JSON Schema of what is stored, not of what is returned', () => {
    const described = plan(
      pipeline('columns', ({ source }) => {
        source('s', {
          output: z.object({
            int: z.int(),
            date: z.iso.datetime(),
            label: z.enum(['a', 'b']).nullable(),
            filled: z.string().default('x'),
            length: z
              .string()
              .transform((text) => text.length)
              .pipe(z.number()),
            coerced: z.coerce.number(),
            list: z.array(z.object({ may: z.string().optional() })),
            json: z.json(),
          }),
          rows: [],
        });
      }),
    );
    const schemas = Object.fromEntries(described.definition.steps[0]?.columns.map(({ name, schema }) => [name, schema]) ?? []);
    expect(schemas).toMatchObject({
      int: { type: 'integer' },
      date: { type: 'string', format: 'date-time' },
      label: { anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] },
      filled: { type: 'string', default: 'x' },
      length: { type: 'number' },
      coerced: { type: 'number' },
      list: { type: 'array', items: { type: 'object', properties: { may: { type: 'string' } } } },
    });
    expect(Object.keys(schemas)).toEqual(['int', 'date', 'label', 'filled', 'length', 'coerced', 'list', 'json']);
    expect(schemas['int']).not.toHaveProperty('$schema');
  });

  it('counts the items of a list, and asks a function', async () => {
    const countOf = async (source: object) => {
      const all = chain({ source }).steps.get('all');
      return all?.operator === 'source' ? ((await all.count?.()) ?? null) : undefined;
    };
    expect(await countOf({})).toBe(1);
    expect(await countOf({ rows: new Set([{ n: 1 }]) })).toBe(null);
    expect(await countOf({ rows: () => [{ n: 1 }], count: 12 })).toBe(12);
    expect(await countOf({ rows: () => [{ n: 1 }], count: async () => 13 })).toBe(13);
  });

  it('begins a source at an item, whatever form its rows have', async () => {
    const items = [0, 1, 2, 3].map((n) => ({ n }));
    const given = {
      list: items,
      iterable: new Set(items),
      function: () => items,
      promised: async () => items,
      generator: function* () {
        yield* items;
      },
      asynchronous: async function* () {
        yield* items;
      },
    };
    for (const [what, rows] of Object.entries(given)) {
      const all = chain({ source: { rows } }).steps.get('all');
      if (all?.operator !== 'source') throw new Error('no source');
      for (const offset of [0, 3, 4, 9]) {
        expect(await Array.fromAsync(await all.open({ offset } as never)), `${what} from ${offset}`).toEqual(items.slice(offset));
      }
    }
  });
});

describe('signatures', () => {
  it('are the same for the same pipeline, however often it is planned', () => {
    expect(chain()).toMatchObject({ manifest: chain().manifest, definition: chain().definition });
    const all = chain().manifest.steps.map(({ signature }) => signature);
    expect(new Set(all).size).toBe(all.length);
    for (const signature of all) expect(signature).toMatch(/^[0-9a-f]{64}$/);
  });

  it('change for a step and all below it, and for nothing above it', () => {
    const run = ({ n }: { n: number }) => ({ twice: n + n });
    expect(changedBy({ map: { run } })).toEqual(['twice', 'even', 'only', 'pipeline']);
    expect(changedBy({ filter: { keep: () => true } })).toEqual(['even', 'only', 'pipeline']);
    expect(changedBy({ source: { output: z.object({ n: z.number() }) } })).toEqual(['all', 'twice', 'even', 'only', 'pipeline']);
  });

  it.each<[string, Variant]>([
    ['columns', { output: z.number() }],
    ['a version within', { map: { version: 2 } }],
    ['a version beside', { beside: { version: '2' } }],
    ['captures', { beside: { captures: { perTopic: 3 } } }],
    ['settings', { map: { settings: { model: 'm' } } }],
    ['a name in a library', { map: { id: 'x/y' } }],
    ['batchSize', { beside: { batchSize: 3 } }],
    ['onError', { beside: { onError: 'fail' } }],
  ])('change with %s', (_what, variant) => {
    expect(changedBy(variant)).toEqual(['twice', 'even', 'only', 'pipeline']);
  });

  it.each<[string, Variant]>([
    ['concurrency', { beside: { concurrency: 3 } }],
    ['concurrency of the command line', { plan: { concurrency: { twice: 3 } } }],
    ['time-outs', { beside: { timeoutMs: 3 } }],
    ['retries', { beside: { retry: { attempts: 1, backoffMs: 0 } } }],
    ['the number of rows of a list', { source: { rows: [{ n: 1 }, { n: 2 }] } }],
    ['the default, said', { beside: { onError: 'reject' } }],
    ['the same captures in another order', {}],
  ])('do not change with %s', (_what, variant) => {
    expect(changedBy(variant)).toEqual([]);
  });

  it('do not depend on the order of captures', () => {
    const of = (captures: object) => chain({ map: { captures } }).manifest.signature;
    expect(of({ a: 1, b: 2 })).toBe(of({ b: 2, a: 1 }));
    expect(of({ a: 1, b: 2 })).not.toBe(of({ a: 2, b: 1 }));
  });

  it('of the pipeline change with its files, and those of its steps do not', () => {
    expect(changedBy({ plan: { sources: [{ path: 'p.ts', text: 'const prompt = 1' }] } })).toEqual(['pipeline']);
  });

  it('of a renamed step change with the library’s code, and with the names', () => {
    const library = (version: number, run: (row: { question: string }) => { answer: string }) =>
      step.map({ id: 'answer', version, input: z.object({ question: z.string() }), output: z.object({ answer: z.string() }), run });
    const of = (it: ReturnType<typeof library>, to: 'reply' | 'other' = 'reply') =>
      plan(
        pipeline('p', ({ source }) => {
          source('s', { output: z.object({ text: z.string() }), rows: [] }).map('m', renamed(it, { question: 'text', answer: to }));
        }),
      ).manifest;
    const first = library(1, ({ question }) => ({ answer: question }));
    expect(of(first)).toEqual(of(library(1, ({ question }) => ({ answer: question }))));
    expect(of(first).signature).not.toBe(of(library(2, ({ question }) => ({ answer: question }))).signature);
    expect(of(first).signature).not.toBe(of(library(1, ({ question }) => ({ answer: `${question}!` }))).signature);
    expect(of(first).signature).not.toBe(of(first, 'other').signature);
    expect(of(first).steps[1]?.adds).toEqual(['reply']);
  });
});

describe('a renamed step', () => {
  const answer = step.map({
    id: 'answer',
    version: 1,
    input: z.object({ question: z.string() }),
    output: z.object({ answer: z.string(), model: z.string() }),
    run: async ({ question }) => ({ answer: `${question}!`, model: 'm' }),
  });

  it('reads and writes under the names of the pipeline', async () => {
    const { steps } = plan(
      pipeline('p', ({ source }) => {
        source('s', { output: z.object({ text: z.string() }), rows: [] }).map('m', renamed(answer, { question: 'text', answer: 'reply' }));
      }),
    );
    const it = steps.get('m');
    if (it?.operator !== 'map') throw new Error('no map');
    const returned = await it.call({ text: 'why' }, {} as never);
    expect(it.check(returned)).toEqual({ ok: true, values: ['why!', 'm'], undeclared: [] });
    expect(it.adds).toEqual(['reply', 'model']);
  });

  it('hides a column of the pipeline that has one of the library’s names', async () => {
    let seen: unknown;
    const spy = { ...answer, run: async (row: { question: string }) => ((seen = row), { answer: '', model: '' }) };
    const swapped = renamed(spy, { question: 'text' });
    await swapped.run({ text: 'why', question: 'other' } as never, {} as never);
    expect(seen).toEqual({ question: 'why' });
  });

  it('may swap names', async () => {
    const pair = step.map({
      id: 'pair',
      version: 1,
      input: z.object({ a: z.string(), b: z.string() }),
      output: z.object({ c: z.string() }),
      run: ({ a, b }) => ({ c: a + b }),
    });
    expect(await renamed(pair, { a: 'b', b: 'a' }).run({ a: '1', b: '2' }, {} as never)).toEqual({ c: '21' });
  });

  it('is refused if two of its columns would have one name', () => {
    const { message } = faultOf('invalid-pipeline', () => renamed(answer, { answer: 'model' }));
    expect(message).toMatch(/^\(plan\.test\.ts:\d+\): two columns of a renamed step are called model\. Give one another name\.$/);
  });
});

describe('a secret', () => {
  const value = 'sk-very-"secret"';
  const withSecret = (define: (key: string) => object, options: PlanOptions = {}) =>
    plan(
      pipeline('p', { params: z.object({ key: secret(), limit: z.int().default(3) }) }, ({ params, source }) => {
        source('s', { output: z.object({ n: z.int() }), rows: [], ...define(params.key) });
      }),
      { params: { key: value }, ...options },
    );

  it('is never recorded', () => {
    const { manifest, definition, params, secrets } = withSecret(() => ({}));
    expect(secrets).toEqual([{ name: 'key', value }]);
    expect(params).toEqual({ limit: 3 });
    for (const recorded of [manifest, definition, params]) expect(JSON.stringify(recorded)).not.toContain('sk-very');
  });

  it('changes no signature', () => {
    const before = withSecret(() => ({})).manifest;
    expect(withSecret(() => ({}), { params: { key: 'sk-another' } }).manifest).toEqual(before);
  });

  it.each<[string, (key: string) => object]>([
    ['captures', (key) => ({ captures: { key } })],
    ['the middle of captures', (key) => ({ captures: { header: `Bearer ${key}` } })],
    ['settings', (key) => ({ settings: { nested: [key] } })],
    ['a version', (key) => ({ version: key })],
    ['a column', (key) => ({ output: z.object({ n: z.literal(key) }) })],
  ])('that a step writes into %s is refused, and not shown', (_what, define) => {
    const { message } = faultOf('invalid-pipeline', () => withSecret(define));
    expect(message).toMatch(
      /^Step s: its [a-z]+ contains secret key, which would be recorded\. Read it where it is used, through a resource\.$/,
    );
    expect(message).not.toContain('sk-very');
  });

  it.each<[string, (key: string) => string]>([
    ['base64', (key) => Buffer.from(`user:${key}`).toString('base64')],
    ['hexadecimal', (key) => Buffer.from(key).toString('hex')],
    ['a form', (key) => new URLSearchParams({ key }).toString()],
    ['JSON within JSON', (key) => JSON.stringify(JSON.stringify({ key }))],
  ])('that a step writes into captures as %s is refused, too', (_what, write) => {
    faultOf('invalid-pipeline', () => withSecret((key) => ({ captures: { header: write(key) } })));
  });

  it('of less than four characters is refused when the pipeline is planned, and not shown', () => {
    const { message } = faultOf('invalid-params', () => withSecret(() => ({}), { params: { key: 'a&9' } }));
    expect(message).toMatch(/^Secret key has 3 characters and cannot be redacted from the log/);
    expect(message).not.toContain('a&9');
    expect(withSecret(() => ({}), { params: { key: '' } }).secrets).toEqual([{ name: 'key', value: '' }]);
    expect(withSecret(() => ({}), { params: { key: 'a&9b' } }).secrets).toHaveLength(1);
  });

  it('is redacted in an error that a definition throws', () => {
    const { message } = faultOf('invalid-pipeline', () =>
      withSecret((key) => {
        throw new Error(`cannot use ${encodeURIComponent(key)}`);
      }),
    );
    expect(message).toMatch(/cannot use \[secret\]/);
    expect(message).not.toContain('sk-very');
  });

  it('in the pipeline’s own files is refused, and not shown', () => {
    const sources = [{ path: 'p.ts', text: `const key = 'sk-very-"secret"';` }];
    const { message } = faultOf('invalid-pipeline', () => withSecret(() => ({}), { sources }));
    expect(message).toMatch(
      /^p\.ts contains the value of secret key, which would be recorded\. Remove it from the file, and set DISTILOG_PARAM_KEY\.$/,
    );
  });
});
