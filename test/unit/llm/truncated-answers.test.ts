// Answers that a provider cut off at the token limit.
import { expect, it } from 'vitest';
import { startPipeline } from '../../../src/engine/index.ts';
import { chatGeneration, textGeneration, type LanguageModelOptions } from '../../../src/llm/index.ts';
import { memoryStore, type MemoryStore } from '../../../src/log/index.ts';
import { pipeline, plan, type Pipeline } from '../../../src/pipeline/index.ts';
import { eventsOf, ran } from '../engine/engine.ts';
import { billed, callsIn, consumed, instructions, provider, rejections, rowsIn } from './providers.ts';

const cutOff = (of: LanguageModelOptions = {}) => provider({ cutOff: true, answer: () => 'The capital is Li' }, of);
const keepRow = { instruction: 'a', generation: 'The capital is Li', modelName: 'tiny' };

it('rejects a row whose answer was cut off, and counts its tokens as discarded', async () => {
  const { server, model } = await cutOff();
  const run = await ran(
    pipeline('cut', ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model, maxOutputTokens: 4 }))),
  );
  expect(run.rest).toBe('partial');
  const events = await eventsOf(run.store, run.runId);
  const message = expect.stringMatching(/cut off at maxOutputTokens.*onTruncated: 'keep'/) as string;
  expect(rejections(events)).toMatchObject([{ code: 'truncated', attempts: 1, message }]);
  expect(await callsIn(run)).toMatchObject([{ finishReason: 'truncated', thrownAway: true }]);
  expect(consumed(events)).toEqual(billed(server));
});

it('keeps the answer if the step or the model says so, and the step takes precedence', async () => {
  const { server, model } = await cutOff({ onTruncated: 'keep' });
  const of = (onTruncated?: 'reject' | 'keep') =>
    ran(pipeline('kept', ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model, onTruncated }))));
  const kept = await of();
  expect(await rowsIn(kept)).toEqual([keepRow]);
  expect(await callsIn(kept)).toMatchObject([{ finishReason: 'length' }]);
  expect((await of('reject')).rest).toBe('partial');
  expect(server.requests[0]).not.toHaveProperty('onTruncated');
});

it('keeps cut-off answers in a run that 0.1.0 started, whose log does not record the default', async () => {
  const { model } = await cutOff();
  const pipe = pipeline('old', ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model })));
  const store = withoutDefault(memoryStore());
  const run = await startPipeline(store, plan(pipe), { seed: 1 });
  const { rest } = await run.drive();
  expect(await rowsIn({ store, runId: run.runId, rest })).toEqual([keepRow]);
});

it('does not change the signature of a step that does not set it', async () => {
  const { model } = await cutOff();
  const of = (options: { readonly onTruncated?: 'keep' }): Pipeline =>
    pipeline('signed', ({ source }) => void source('rows', instructions('a')).map('text', textGeneration({ model, ...options })));
  expect(plan(of({})).definition.steps[1]?.settings).not.toHaveProperty('onTruncated');
  expect(plan(of({})).manifest.signature).not.toBe(plan(of({ onTruncated: 'keep' })).manifest.signature);
});

it('refuses another value when the pipeline is defined', async () => {
  const { model } = await cutOff();
  expect(() => chatGeneration({ model, onTruncated: 'drop' as never })).toThrow(/onTruncated must be 'reject' or 'keep', and is "drop"/);
});

/** A store whose first event reads as in a log of 0.1.0. */
function withoutDefault(store: MemoryStore): MemoryStore {
  const { log } = store;
  const read: typeof log.read = async function* (...of) {
    for await (const page of log.read(...of))
      yield page.map((event) => {
        if (event.type !== 'RunStarted') return event;
        const { truncated: _removed, ...data } = event.data;
        return { ...event, data };
      });
  };
  return { ...store, log: new Proxy(log, { get: (target, name) => (name === 'read' ? read : bound(target, name)) }) };
}

const bound = (target: object, name: string | symbol): unknown => {
  const member: unknown = Reflect.get(target, name);
  return typeof member === 'function' ? (member.bind(target) as unknown) : member;
};
