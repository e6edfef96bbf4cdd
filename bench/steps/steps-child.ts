// A process that runs workflows. bench/steps/steps.ts starts it.
import { serve } from '../prepared-child.ts';
import { engines } from './engines.ts';
import type { StepsTask } from './steps.ts';

/** Number of warm-up workflows, which are not measured. */
const warmUp = 20;

await serve(async (task) => {
  const { engine: name, url, workflows, concurrency } = task as StepsTask;
  const engine = await engines.find((entry) => entry.name === name)?.load();
  if (!engine) throw new Error(`There is no contestant ${name}.`);
  const { run, close } = await engine.open({ url, concurrency });
  await run(warmUp);
  return { work: () => run(workflows), close };
});
