import { expect, it } from 'vitest';
import preferences from '../../../examples/preferences.ts';
import { eventsOf, ran, rowsOf } from '../engine/engine.ts';
import { billed, consumed, provider } from './providers.ts';

it('the example of preference pairs runs against any provider', async () => {
  const { server } = await provider();
  process.env['OPENAI_BASE_URL'] = server.url;
  const run = await ran(preferences as never);
  delete process.env['OPENAI_BASE_URL'];
  expect(run.rest).toBe('succeeded');
  const pairs = (await rowsOf(run.store, run.runId))['default'] ?? [];
  expect(pairs.length).toBeGreaterThan(3);
  for (const { chosen_rating: chosen, rejected_rating: rejected } of pairs) expect(Number(chosen)).toBeGreaterThan(Number(rejected));
  expect(new Set(server.requests.map(({ model }) => model))).toEqual(new Set(['gpt-4o-mini', 'gpt-4o']));
  expect(consumed(await eventsOf(run.store, run.runId))).toEqual(billed(server));
});
