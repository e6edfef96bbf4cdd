import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { graph } from '../../../projections/index.ts';
import { resumePipeline, startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, ignoreSnapshots } from '../../../src/log/index.ts';
import { pipeline, plan } from '../../../src/pipeline/index.ts';
import { readStates, stepViews } from '../../../src/views/index.ts';

const planned = plan(
  pipeline('folds', ({ source }) => {
    const rows = source('rows', { output: z.object({ n: z.int() }), rows: Array.from({ length: 900 }, (_, n) => ({ n })), batchSize: 1 });
    rows.map('twice', { output: z.object({ twice: z.int() }), run: ({ n }: { readonly n: number }) => ({ twice: n * 2 }) });
  }),
);

/** Counts how often each recorded event passes the graph fold. Events that are not recorded yet have no position. */
function countPasses() {
  const passes = new Map<number, number>();
  const { evolve } = graph;
  vi.spyOn(graph, 'evolve').mockImplementation((state, event) => {
    if (event.position > 0) passes.set(event.position, (passes.get(event.position) ?? 0) + 1);
    return evolve(state, event);
  });
  return passes;
}

afterEach(() => vi.restoreAllMocks());

describe('a process that drives a run, keeps its snapshots and shows it', () => {
  it('folds each recorded event once', async () => {
    const store = memoryStore();
    const passes = countPasses();
    let shown = '';
    const run = await startPipeline(store, planned, {
      runId: 'folds-1',
      onRecorded: (_events, states) => (shown = JSON.stringify(stepViews(states).map(({ name, rows }) => [name, rows.out]))),
    });
    const { position } = await run.drive();
    expect(position).toBeGreaterThan(2_000);
    expect(store.snapshots.rows.length).toBeGreaterThan(5);
    expect([...new Set(passes.values())]).toEqual([1]);
    expect(passes.size).toBe(position);
    expect(shown).toBe('[["rows",900],["twice",900]]');
    vi.restoreAllMocks();
    expect(run.states()).toEqual(await readStates(ignoreSnapshots(store), 'folds-1', position));
  });

  it('reads the states of a run that it resumes once', async () => {
    const store = memoryStore();
    const first = await startPipeline(store, planned, { runId: 'folds-2' });
    const driving = first.drive();
    first.stop({ kind: 'pause', reason: 'asked', message: 'asked', step: null, actor: { user: 'ann', host: 'desk', pid: 1 } });
    await driving;
    const passes = countPasses();
    const run = await resumePipeline(store, planned, { runId: 'folds-2', seize: false, acceptedChanges: [], concurrency: {}, skip: [] });
    await run.drive();
    expect([...new Set(passes.values())]).toEqual([1]);
  });
});
