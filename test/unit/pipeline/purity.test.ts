import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline, plan, secret, type Node } from '../../../src/pipeline/index.ts';
import { faultOf, planned, type Untyped } from './faults.ts';

const n = z.object({ n: z.int() });
const bound = function (this: boolean) {
  return this;
}.bind(true);
const rows = (source: Untyped, name = 'rows') => source(name, { output: n, rows: [{ n: 1 }] });

describe('a definition depends on its params only, and is refused', () => {
  it('for making a step from a node of another pipeline, which would be lost', () => {
    let foreign: Node<unknown> | undefined;
    planned((source) => void (foreign = rows(source)));
    const { message } = faultOf('invalid-pipeline', () =>
      planned((source) => {
        rows(source, 'own');
        foreign?.filter('lost', { keep: () => true });
      }),
    );
    expect(message).toMatch(/^Step lost \(purity\.test\.ts:\d+\): its input belongs to another pipeline, .* while its definition runs\.$/);
  });

  it('for keeping a node from its first run', () => {
    let kept: Node<unknown> | undefined;
    const { message } = faultOf('invalid-pipeline', () =>
      planned((source) => {
        kept ??= rows(source);
        kept?.filter('f', { keep: () => true });
      }),
    );
    expect(message).toMatch(/^Step f .*to a definition that has ended/);
  });

  it('for creating steps after it has ended', () => {
    let later: (() => unknown) | undefined;
    planned((source) => {
      rows(source);
      later = () => rows(source, 'late');
    });
    expect(faultOf('invalid-pipeline', () => later?.()).message).toMatch(/^Step late .*while its definition runs\.$/);
  });

  it('for changing its params, so that both runs get the same params', () => {
    const changing = pipeline('p', { params: z.object({ tags: z.array(z.string()) }) }, ({ source, params }) => {
      params.tags.push('more');
      source('s', { output: n, rows: [] });
    });
    expect(faultOf('invalid-pipeline', () => plan(changing, { params: { tags: ['a'] } })).message).toMatch(
      /threw while it was defined \(purity\.test\.ts:\d+\): .*not extensible/,
    );
    const replacing = pipeline('p', { params: z.object({ limit: z.int() }) }, ({ source, params }) => {
      params.limit = 3;
      source('s', { output: n, rows: [] });
    });
    expect(faultOf('invalid-pipeline', () => plan(replacing, { params: { limit: 1 } })).message).toMatch(/read only property 'limit'/);
  });

  it('for being different, with the first different step and its parts', () => {
    let size = 0;
    expect(
      faultOf('invalid-pipeline', () => planned((source) => void source('s', { output: n, rows: [], batchSize: ++size }))).message,
    ).toMatch(/when its definition ran a second time \(step s: options\)\. A definition may depend only on its params/);
    let names = 0;
    expect(faultOf('invalid-pipeline', () => planned((source) => void rows(source, `s${++names}`))).message).toMatch(
      /a second time \(step s2\)\./,
    );
  });
});

describe('params are refused', () => {
  it('that a resume could not parse again from what was recorded', () => {
    const measured = z.object({
      size: z
        .string()
        .transform((text) => text.length)
        .pipe(z.int()),
    });
    const of = (params: z.ZodObject) => pipeline('p', { params }, ({ source }) => void source('s', { output: n, rows: [] }));
    expect(faultOf('invalid-params', () => plan(of(measured), { params: { size: 'four' } })).message).toMatch(
      /^Param size is changed by its schema in a way that cannot be parsed again, .*Transform it in the definition instead\.$/,
    );
    const growing = z.object({ prefix: z.string().overwrite((text) => `${text}!`) });
    expect(faultOf('invalid-params', () => plan(of(growing), { params: { prefix: 'a' } })).message).toMatch(/^Param prefix is changed by/);
    const settled = z.object({ count: z.coerce.number(), name: z.string().trim().default('x') });
    expect(plan(of(settled), { params: { count: '7' } }).params).toEqual({ count: 7, name: 'x' });
  });
});

describe('a step is refused', () => {
  it.each<[string, (source: Untyped) => unknown, RegExp]>([
    [
      'rows that can be read once',
      (source) => source('s', { output: n, rows: [{ n: 1 }].values() }),
      /can be read only once.*rows: \(\) => …\.$/,
    ],
    ['rows of a stream', (source) => source('s', { output: n, rows: new ReadableStream() }), /can be read only once/],
    [
      'a function whose text says nothing',
      (source) => rows(source).filter('f', { keep: Boolean }),
      /its function is bound or built in, .*Write \(row\) => …, or give the step a version\.$/,
    ],
    ['a bound function', (source) => rows(source).filter('f', { keep: bound }), /bound or built in/],
    ['a version that is neither', (source) => source('s', { output: n, rows: [], version: {} }), /a version is a text or a number/],
  ])('for %s', (_what, define, says) => {
    expect(faultOf('invalid-pipeline', () => planned((source) => void define(source))).message).toMatch(says);
  });

  it('not for a bound function that has a version', () => {
    const { definition } = planned((source) => void rows(source).filter('f', { keep: bound, version: 2 }));
    expect(definition.steps[1]?.version).toBe('2');
  });

  it('not for an undefined retry option in its overrides', () => {
    const { manifest } = planned(
      (source) => void source('s', { output: n, rows: [], retry: { attempts: 7 } }, { retry: { attempts: undefined } }),
    );
    expect(manifest.steps[0]?.options.attempts).toBe(7);
  });

  it('for a secret in its code, by the step’s name, though not for words that every step has', () => {
    const withKey = (value: string) =>
      plan(
        pipeline('p', { params: z.object({ key: secret() }) }, ({ source }) => {
          source('s', { output: n, rows: () => [{ n: 'hush-hush'.length }] });
        }),
        { params: { key: value } },
      );
    expect(faultOf('invalid-pipeline', () => withKey('hush-hush')).message).toBe(
      'Step s: its code contains secret key, which would be recorded. Read it where it is used, through a resource.',
    );
    for (const word of ['name', 'columns', 'captures', 'settings']) expect(withKey(word).secrets).toEqual([{ name: 'key', value: word }]);
  });
});

describe('a pipeline is refused', () => {
  it('for an unknown option', () => {
    const { message } = faultOf('invalid-pipeline', () => (pipeline as Untyped)('p', { parms: n }, () => undefined));
    expect(message).toMatch(/^\(purity\.test\.ts:\d+\): pipeline p has no option parms\. The only option is params\.$/);
  });

  it('for a value that is not a pipeline', () => {
    for (const it of [undefined, null, {}, () => undefined, { name: 'p', params: n, define: () => undefined }]) {
      expect(faultOf('invalid-pipeline', () => plan(it as never)).message).toMatch(/^The value is not a pipeline\. Create one with/);
    }
  });
});
