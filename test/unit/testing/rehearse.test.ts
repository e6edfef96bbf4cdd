import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipeline, resource, type ReadContext } from '../../../src/pipeline/index.ts';
import { rehearse } from '../../../src/testing/index.ts';

interface Model {
  ask(prompt: string): Promise<string>;
}

const model = resource<Model>('model', () => {
  throw new Error('no network in a test');
});

const capitals = pipeline('capitals', { params: z.object({ greeting: z.string().default('Hello') }) }, ({ source, params }) => {
  const cities = source('cities', {
    output: z.object({ city: z.string() }),
    rows: ['Lima', 'Accra', 'Kathmandu', 'Quito'].map((city) => ({ city })),
    batchSize: 2,
    origin: () => {
      throw new Error('no file in a test');
    },
  });
  const answered = cities.map('answer', {
    output: z.object({ answer: z.string() }),
    captures: { greeting: params.greeting },
    retry: { attempts: 3, backoffMs: 60_000 },
    run: async ({ city }, { use, usage }) => {
      const client = await use(model);
      usage({ model: 'm', inputTokens: 2, outputTokens: 1 });
      return { answer: await client.ask(`${params.greeting}, ${city}`) };
    },
  });
  const brief = answered.filter('short', { keep: ({ answer }) => answer.length < 12 });
  return { brief, all: answered.select('only', ['answer']) };
});

const echo: Model = { ask: async (prompt) => prompt };

describe('a rehearsal', () => {
  it('runs the whole pipeline with substitute resources, and returns rows by the names of the definition', async () => {
    const { rows, steps, rejected, outcome, usage, events } = await rehearse(capitals, {
      params: { greeting: 'Hi' },
      resources: { model: echo },
    });
    expect(outcome).toBe('succeeded');
    expect(rows.brief).toEqual([
      { city: 'Lima', answer: 'Hi, Lima' },
      { city: 'Accra', answer: 'Hi, Accra' },
      { city: 'Quito', answer: 'Hi, Quito' },
    ]);
    expect(rows.all).toHaveLength(4);
    expect(steps['cities']).toHaveLength(4);
    expect(rejected).toEqual([]);
    expect(usage).toMatchObject({ calls: 4, inputTokens: 8, outputTokens: 4 });
    expect(events.at(-1)?.type).toBe('RunFinished');
  });

  it('pauses if a resource cannot be opened, as a run does', async () => {
    const { outcome, rows } = await rehearse(capitals, { take: 1 });
    expect([outcome, rows.all]).toEqual(['paused', []]);
  });

  it('reads at most `take` items of each source, across batches', async () => {
    for (const take of [0, 1, 3, 9]) {
      const { rows } = await rehearse(capitals, { take, resources: { model: echo } });
      expect(rows.all).toHaveLength(Math.min(take, 4));
    }
  });

  it('calls stubs in place of steps and sources, and checks what they return', async () => {
    const { rows, rejected, outcome } = await rehearse(capitals, {
      stubs: {
        cities: [{ city: 'Oslo' }, { city: 'Bern' }, { town: 'Ulm' }],
        answer: ({ city }: { city: string }) => ({ answer: city === 'Bern' ? 7 : city }),
      },
    });
    expect(outcome).toBe('partial');
    expect(rows.all).toEqual([{ answer: 'Oslo' }]);
    // Which of two steps rejects first is up to the scheduler.
    const [answer, cities] = rejected.toSorted((one, another) => (one.step < another.step ? -1 : 1));
    expect(rejected).toHaveLength(2);
    expect(answer).toMatchObject({ step: 'answer', batch: 0, row: 1, code: 'invalid-output', attempts: 1, input: { city: 'Bern' } });
    expect(cities).toMatchObject({ step: 'cities', batch: 1, row: 0, code: 'invalid-output', input: null });
  });

  it('reads a source from its stub, which may be a function of the offset', async () => {
    const { rows, outcome } = await rehearse(capitals, {
      take: 3,
      stubs: {
        cities: async function* ({ offset }: ReadContext) {
          for (let n = offset; ; n++) yield { city: `city ${n}` };
        },
        answer: ({ city }) => ({ answer: city }),
        short: (_row, { attempt }) => attempt > 1,
      },
    });
    expect([outcome, rows.all.map(({ answer }) => answer), rows.brief]).toEqual(['succeeded', ['city 0', 'city 1', 'city 2'], []]);
  });

  it('does not wait between attempts, and has no reject limit', async () => {
    const many = Array.from({ length: 60 }, (_, n) => ({ city: String(n) }));
    const failing = () => {
      throw new Error('again');
    };
    const { rejected, outcome } = await rehearse(capitals, { stubs: { cities: many, answer: failing } });
    expect(outcome).toBe('partial');
    expect(rejected).toHaveLength(60);
    expect(rejected[0]).toMatchObject({ attempts: 3, message: 'again' });
  });

  it('is the same every time', async () => {
    const dice = pipeline('dice', ({ source }) => ({
      thrown: source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 2 }] }).map('throw', {
        output: z.object({ eyes: z.number() }),
        run: (_row, { random }) => ({ eyes: random() }),
      }),
    }));
    const [first, again, other] = await Promise.all([rehearse(dice), rehearse(dice), rehearse(dice, { seed: 2 })]);
    expect(again.rows).toEqual(first.rows);
    expect(other.rows).not.toEqual(first.rows);
  });

  it('names leaves by their steps if the definition returns none, and lists batches that were given up', async () => {
    const torn = pipeline('torn', ({ source }) => {
      source('rows', { output: z.object({ n: z.int() }), rows: [{ n: 1 }] }).map('fails', {
        output: z.object({ out: z.int() }),
        onError: 'fail',
        retry: { attempts: 1 },
        run: (): { out: number } => {
          throw new Error('broken');
        },
      });
    });
    const { outcome, rows, failedBatches } = await rehearse(torn);
    expect([outcome, rows]).toEqual(['failed', { fails: [] }]);
    expect(failedBatches).toMatchObject([{ step: 'fails', batch: 0, message: 'broken' }]);
  });

  it('ends early when its signal is aborted', async () => {
    const stop = new AbortController();
    const endless = rehearse(capitals, {
      signal: stop.signal,
      stubs: {
        answer: () => {
          stop.abort();
          return new Promise(() => undefined);
        },
      },
    });
    expect((await endless).outcome).toBe('paused');
  });

  it.each([
    [{ stubs: { nope: () => ({}) } }, /stub for step nope, but pipeline capitals has cities, answer, short, only/],
    [{ stubs: { only: () => ({}) } }, /Step only \(select\) calls no function/],
    [{ stubs: { answer: [] } }, /stub of step answer must be a function/],
    [{ take: -1 }, /a whole number from 0, .* and is -1/],
    [{ params: { greeting: 7 as unknown as string } }, /Param greeting/],
  ])('refuses %j', async (options, says) => {
    await expect(rehearse(capitals, options)).rejects.toThrow(says);
  });
});
