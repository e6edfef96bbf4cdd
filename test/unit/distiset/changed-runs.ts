import { z } from 'zod';
import { resumePipeline, retryPipeline, startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, type MemoryStore } from '../../../src/log/index.ts';
import { definitionDiff } from '../../../schema/index.ts';
import { NonRetryableError, pipeline, plan, step, type MapStep, type Plan } from '../../../src/pipeline/index.ts';

import type { AcceptedChange } from '../../../schema/index.ts';

/** What a version of the pipeline says: how warm its model is, and what it is asked. */
interface Version {
  readonly temperature: number;
  readonly prompt: string;
  /** Rows at which the key is refused, and rows that are rejected. */
  readonly refused?: number;
  readonly rejected?: number;
}

/** Three versions: the first pauses at row 3, when row 2 of its batch is done; the second rejects row 4; the third takes everything. */
export const versions = [
  { temperature: 0.2, prompt: 'Answer briefly.', refused: 3, rejected: 4 },
  { temperature: 0.9, prompt: 'Answer briefly.\nBe kind.', rejected: 4 },
  { temperature: 1, prompt: 'Answer.' },
] as const satisfies readonly Version[];

const answers = ({ temperature, prompt, refused, rejected }: Version): Plan =>
  plan(
    pipeline('answers', ({ source }) => {
      source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 6 }, (_, n) => ({ n })), batchSize: 2 }).map(
        'answer',
        step.map({
          id: 'model',
          version: 1,
          input: z.object({ n: z.int() }),
          output: z.object({ answer: z.string() }),
          settings: { model: { id: 'oracle' }, temperature, prompt },
          run: ({ n }: { n: number }) => {
            if (n === refused) throw new NonRetryableError('key refused', { code: 'auth' });
            if (n === rejected) throw new NonRetryableError('no answer', { code: 'silent' });
            return { answer: `${n} at ${temperature}` };
          },
        } as never) as MapStep<{ n: number }, z.ZodObject<{ answer: z.ZodString }>>,
        { concurrency: 1 },
      );
    }),
  );

function accepted(before: Plan, now: Plan): readonly AcceptedChange[] {
  return definitionDiff(before, now).flatMap(({ step: name, kind, parts, signature }) =>
    kind === 'changed' || kind === 'follows' ? [{ step: name, kind, parts, signature }] : [],
  );
}

/** A run under three definitions: started, resumed with accepted changes, and retried with others. Returns where each was recorded. */
export async function changedRun(): Promise<{
  readonly store: MemoryStore;
  readonly runId: string;
  readonly definitions: readonly number[];
}> {
  const [first, second, third] = versions.map(answers) as [Plan, Plan, Plan];
  const store = memoryStore();
  const run = await startPipeline(store, first, { seed: 1, runId: 'answers-234567', isRejectLimitLifted: true });
  const { runId } = run;
  await run.drive();
  const again = { runId, concurrency: {}, isRejectLimitLifted: true };
  const resumed = await resumePipeline(store, second, { ...again, seize: false, skip: [], acceptedChanges: accepted(first, second) });
  await resumed.drive();
  await (await retryPipeline(store, third, { ...again, acceptedChanges: accepted(second, third) })).drive();
  const events = (await Array.fromAsync(store.log.read(runId, { types: ['RunStarted', 'RunResumed'] }))).flat();
  return { store, runId, definitions: events.map(({ position }) => position) };
}
