import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/pipeline/index.ts';
import { createDistiset, writeDistiset } from '../../../src/distiset/index.ts';
import { startPipeline } from '../../../src/engine/index.ts';
import { memoryStore, resolveAsOf } from '../../../src/log/index.ts';
import { temporaryFolder } from '../../unit/distiset/temporary-folder.ts';
import { scenarios } from './scenarios.ts';

/** Sizes at which each scenario ends within a second or two. The storm uses the promised sizes. */
const sizes: Readonly<Record<string, number>> = {
  rows: 5_000,
  batches: 300,
  global: 5_000,
  'fan-out': 2,
  'large-rows': 2,
  'large-answers': 1,
  'large-lists': 2,
  chain: 60,
  shards: 3,
};

describe('a large pipeline', () => {
  it.each(Object.keys(scenarios))('exports every row: %s', async (name) => {
    const scenario = scenarios[name];
    const size = sizes[name] ?? 1;
    const store = memoryStore();
    const run = await startPipeline(store, plan(scenario?.of(size) as never), { seed: 1 });
    expect(await run.drive()).toMatchObject({ rest: 'succeeded' });
    const asOf = await resolveAsOf(store.log, run.runId, { kind: 'head' });
    const { metadata } = await writeDistiset(await createDistiset(store, run.runId, { asOf }), {
      directory: `${temporaryFolder()}/out`,
      distilog: 'test',
      shardBytesMax: scenario?.shardBytesMax,
    });
    const [config] = metadata.configs;
    expect(config?.rows).toBe(scenario?.rows(size));
    if (name === 'shards') expect(config?.files.length).toBe(size);
  });

  it('is planned and started with as many steps as are promised', async () => {
    const run = await startPipeline(memoryStore(), plan(scenarios['chain']?.of(999) as never), { seed: 1 });
    expect(Object.keys(run.state().steps)).toHaveLength(1_000);
    run.stop({ kind: 'cancel', reason: 'asked', message: '', step: null, actor: { user: '', host: '', pid: 1 } });
    expect(await run.drive()).toMatchObject({ rest: 'cancelled' });
  });
});
