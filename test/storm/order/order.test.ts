import { afterAll, expect, it } from 'vitest';
import { isNightly, seedFrom } from '../../fixtures/slice.ts';
import { ownServer } from '../../postgres/own-server.ts';
import { controlOrder, ownOrder } from './order.ts';
import { findEmmett } from './tailed-logs.ts';

const seed = seedFrom('DISTILOG_STORM_SEED');
const server = await ownServer();
// It writes for minutes until it loses an event.
const isControlThere = isNightly && (await findEmmett()) !== null;
afterAll(() => server.remove());

it(`a reader that tails a log of many writers misses no event (DISTILOG_STORM_SEED=${seed})`, async () => {
  const figures = await ownOrder(server, seed, 15);
  expect(figures.acknowledged).toBeGreaterThan(200);
  expect(figures).toMatchObject({ missed: 0, wrong: 0, refused: 0 });
});

// The control is a log that numbers events from a sequence. It repeats until an event is lost, which shows that the attack above is strong enough.
it.runIf(isControlThere)(`the same reader of Emmett 0.42 misses events (DISTILOG_STORM_SEED=${seed})`, async () => {
  let missed = 0;
  for (let world = seed; missed === 0 && world < seed + 10; world++) missed += (await controlOrder(server, world, 60))?.missed ?? 0;
  expect(missed).toBeGreaterThan(0);
});
