// A process that runs workflows: bench/steps/steps.ts starts it.
import { serve } from '../prepared-child.ts';
import { engines } from './engines.ts';
import type { StepsTask } from './steps.ts';

/** Workflows that are not measured: what is compiled and connected on the way. */
const warmUp = 20;

await serve(async (task) => {
  const { engine: name, url, workflows, concurrency } = task as StepsTask;
  const engine = await engines.find((entry) => entry.name === name)?.load();
  if (!engine) throw new Error(`there is nobody called ${name}`);
  const { run, close } = await engine.open({ url, concurrency });
  await run(warmUp);
  return { work: () => run(workflows), close };
});
