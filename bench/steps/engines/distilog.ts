import { z } from 'zod';
import { startPipeline } from '../../../src/engine/index.ts';
import { assert } from '../../../src/kit/assert.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { migrate, openPostgresStore, type Connect } from '../../../src/postgres/index.ts';
import { requireVerified } from '../../require-verified.ts';
import { stepNames, type Engine } from '../engine.ts';

/** distilog in batches of the default size. A workflow is a row, and each of its steps is a step of the pipeline. */
export const distilog: Engine = { open: ({ url }) => open(url, {}) };

/** distilog in batches of one row: each step of each row has its own start and end in the log. As many rows are in flight as the other engines have workflows in flight. */
export const distilogByRow: Engine = { open: ({ url, concurrency }) => open(url, { batchSize: 1, concurrency }) };

async function open(url: string, options: { readonly batchSize?: number; readonly concurrency?: number }) {
  const connect: Connect = () => ({ connectionString: url });
  await migrate(connect);
  const store = await openPostgresStore(connect);
  const runIds: string[] = [];
  return {
    run: async (workflows: number) => {
      const started = performance.now();
      const run = await startPipeline(store, plan(workflowsOf(workflows, options)));
      const { rest } = await run.drive();
      assert(rest === 'succeeded', `the run ended as ${rest}`);
      runIds.push(run.runId);
      return performance.now() - started;
    },
    close: async () => {
      for (const runId of runIds) await requireVerified(store, runId);
      await store.close();
    },
  };
}

/** Returns a pipeline whose steps write different values for each step and row, because equal chunks would be stored once. */
const workflowsOf = (workflows: number, options: { readonly batchSize?: number; readonly concurrency?: number }) =>
  pipeline('workflows', ({ source }) => {
    source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: workflows }, (_, n) => ({ n })) })
      .map(stepNames[0], { output: z.object({ first: z.int() }), run: ({ n }) => ({ first: n }) }, options)
      .map(stepNames[1], { output: z.object({ second: z.int() }), run: ({ n }) => ({ second: n }) }, options)
      .map(stepNames[2], { output: z.object({ third: z.int() }), run: ({ n }) => ({ third: n }) }, options)
      .map(stepNames[3], { output: z.object({ fourth: z.int() }), run: ({ n }) => ({ fourth: n }) }, options);
  });
