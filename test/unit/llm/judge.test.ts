import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { judge, textGeneration } from '../../../src/llm/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from '../engine/engine.ts';
import { billed, callsIn, consumed, instructions, provider, rejections, rowsIn } from './providers.ts';

const answered = {
  output: z.object({ instruction: z.string(), generations: z.array(z.string()) }),
  rows: [{ instruction: 'Name a river.', generations: ['The Elbe.', 'A lamp.'] }],
};

describe('judge', () => {
  it('rates all answers to an instruction in one call, each with a reason', async () => {
    const verdicts = [
      { rationale: 'It is one.', rating: 5 },
      { rationale: 'Cannot be told.', rating: null },
    ];
    const { server, model } = await provider({ answer: () => JSON.stringify({ verdicts }) });
    const run = await ran(pipeline('judged', ({ source }) => void source('rows', answered).map('judge', judge({ model }))));
    expect(await rowsIn(run)).toMatchObject([{ ratings: [5, null], rationales: ['It is one.', 'Cannot be told.'] }]);
    expect(server.requests).toHaveLength(1);
    const [system, user] = server.requests[0]?.messages ?? [];
    expect(system?.content).toMatch(/scale from 1 to 5/);
    expect(user?.content).toMatch(/Name a river\..*Answer 1 of 2:.*The Elbe\..*Answer 2 of 2:.*A lamp\..*Give 2 verdicts/s);
  });

  it('asks again after a wrong number of verdicts, then rejects the row', async () => {
    const { server, model } = await provider({ answer: () => '{"verdicts":[{"rationale":"Good.","rating":4}]}' });
    const run = await ran(pipeline('miscounted', ({ source }) => void source('rows', answered).map('judge', judge({ model }))));
    expect(run.rest).toBe('partial');
    expect(server.requests[1]?.messages.at(-1)?.content).toMatch(/it has 1 verdicts for 2 answers/);
    expect(rejections(await eventsOf(run.store, run.runId))).toMatchObject([{ code: 'invalid-output' }]);
    expect((await callsIn(run)).map(({ finishReason }) => finishReason)).toEqual(['invalid-output', 'invalid-output']);
  });

  it('judges several generations of another model', async () => {
    const { server, model } = await provider();
    const run = await ran(
      pipeline('chain', ({ source }) => {
        source('rows', instructions('a', 'b', 'c'))
          .map('answers', textGeneration({ model, numGenerations: 4 }))
          .map('judge', judge({ model, aspect: 'helpfulness' }));
      }),
    );
    expect(run.rest).toBe('succeeded');
    for (const { ratings, rationales } of await rowsIn(run)) expect([(ratings as []).length, (rationales as []).length]).toEqual([4, 4]);
    expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
  });

  it('makes no call for a row without generations', async () => {
    const { server, model } = await provider();
    const none = { output: answered.output, rows: [{ instruction: 'a', generations: [] }] };
    const run = await ran(pipeline('none', ({ source }) => void source('rows', none).map('judge', judge({ model }))));
    expect(await rowsIn(run)).toMatchObject([{ ratings: [], rationales: [] }]);
    expect(server.requests).toHaveLength(0);
  });

  it('records its criteria, so that another aspect gives another signature', async () => {
    const { model } = await provider();
    const of = (options: object) =>
      plan(pipeline('aspects', ({ source }) => void source('rows', answered).map('judge', judge({ model, ...options })))).manifest
        .signature;
    const signatures = [{}, { aspect: 'honesty' }, { criterion: 'how well it rhymes' }].map(of);
    expect(new Set(signatures).size).toBe(3);
    expect(of({ aspect: 'overall-rating' })).toBe(signatures[0]);
  });

  it('refuses an unknown aspect, and an aspect together with a criterion', async () => {
    const { model } = await provider();
    expect(() => judge({ model, aspect: 'beauty' as never })).toThrow(
      /There is no aspect beauty\. The aspects are overall-rating, helpfulness/,
    );
    expect(() => judge({ model, aspect: 'honesty', criterion: 'rhymes' })).toThrow(/has both an aspect and a criterion/);
  });
});
