// Runs that version 0.1.0 began go on with the keys and seeds that version 0.1.0 gave.
import { expect, it } from 'vitest';
import { resumePipeline, retryPipeline } from '../../src/engine/index.ts';
import { plan, type Context, type Plan, type RunnableStep } from '../../src/pipeline/index.ts';
import { everyOperator } from './0.1.0/pipelines.ts';
import { cutAt, expectedOf, goldenLog } from './golden-log.ts';
import { restoreInMemory } from './restore.ts';

/** The plan of version 0.1.0's runs, and what its functions were given: key, seed and attempt, sorted. */
function listening(): { readonly of: Plan; readonly given: () => readonly string[] } {
  const seen: string[] = [];
  const of = plan(everyOperator({ isMended: false, slowMs: 0 }), { params: { items: 24 } });
  const heard = (step: RunnableStep): RunnableStep => {
    if (!('call' in step)) return step;
    const { call } = step as { readonly call: (input: unknown, context: Context) => unknown };
    const listener = (input: unknown, context: Context) => {
      seen.push(`${context.key} ${context.seed} ${context.attempt}`);
      return call(input, context);
    };
    return { ...step, call: listener, readsOrigin: true } as RunnableStep;
  };
  const steps = new Map(Array.from(of.steps, ([name, step]) => [name, heard(step)] as const));
  return { of: { ...of, steps }, given: () => seen.toSorted() };
}

const resuming = { acceptedChanges: [], concurrency: {} } as const;

it('a run that version 0.1.0 began gives functions the keys and seeds of version 0.1.0 when it is resumed', async () => {
  const golden = cutAt(goldenLog('0.1.0', 'finished'), expectedOf('0.1.0')['finished']?.interrupted?.at ?? 0);
  const { of, given } = listening();
  const run = await resumePipeline(await restoreInMemory(golden), of, { ...resuming, runId: golden.runId, seize: false, skip: [] });
  await run.drive();
  // As version 0.1.0 itself printed them.
  expect(given().filter((each) => /asked|small|copies.2.[01]/.test(each))).toEqual([
    'finished/asked/2/2 4226376706 1',
    'finished/asked/2/6 3889743572 1',
    'finished/asked/2/6 3889743572 2',
    'finished/copies/2/0 2193417780 1',
    'finished/copies/2/1 4239979366 1',
    'finished/small/2/0 618921291 1',
    'finished/small/2/1 3384617129 1',
    'finished/small/2/2 3037917992 1',
  ]);
});

it('a run that version 0.1.0 began gives functions the keys and seeds of version 0.1.0 when its rejected rows are tried again', async () => {
  const golden = goldenLog('0.1.0', 'finished');
  const { of, given } = listening();
  const run = await retryPipeline(await restoreInMemory(golden), of, { ...resuming, runId: golden.runId });
  await run.drive();
  expect(given()).toEqual(['finished/scored/0 88873092 1', 'finished/scored/2 2594340120 1']);
});
