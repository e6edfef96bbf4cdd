import { describe, expect, it } from 'vitest';
import { AppendQueue, flushBytesMax, queuedBytesMax, queuedEventsMax } from '../../../src/log/append-queue.ts';
import { batchStarted, stepStarted } from './log-fixture.ts';

const call = (events: ReturnType<typeof batchStarted>[], reject: (error: unknown) => void = () => undefined) => ({
  events,
  resolve: () => undefined,
  reject,
});
const many = (step: number) => Array.from({ length: 1_000 }, (_, attempt) => batchStarted(step, attempt + 1));

const large = 256 * 1024;
/** An event with this many bytes of data. */
const ofBytes = (bytes: number) => {
  const sized = (text: string) => ({ ...stepStarted(), data: { count: null, origin: { text } } });
  return sized('x'.repeat(bytes - JSON.stringify(sized('').data).length));
};

describe('a queue of appends', () => {
  it('lets calls wait when it holds 16 MiB, and accepts them when there is room again', () => {
    const queue = new AppendQueue();
    const full = queuedBytesMax / large;
    for (let index = 0; index < full + 10; index++) queue.add({ ...call([]), events: [ofBytes(large)] });
    expect(queue.events).toBe(full);
    let taken = queue.takeFlush().length;
    expect(taken).toBe(flushBytesMax / large);
    expect(queue.events).toBe(full);
    while (queue.events > 0) taken += queue.takeFlush().length;
    expect(taken).toBe(full + 10);
  });

  it('lets calls wait unencoded when it is full', () => {
    const queue = new AppendQueue();
    for (let index = 0; index < 30; index++) queue.add(call(many(index)));
    expect(queue.events).toBe(queuedEventsMax);
  });

  it('keeps the order of calls, whether they waited for room or not', () => {
    const queue = new AppendQueue();
    const order: (number | null | undefined)[] = [];
    const take = () => order.push(...queue.takeFlush().map(({ checked }) => checked[0]?.encoded.batch));
    for (let index = 0; index < 30; index++) queue.add(call(many(index)));
    take();
    // There is room again, and waiting calls come first.
    queue.add(call(many(30)));
    while (queue.events > 0) take();
    expect(order).toEqual(Array.from({ length: 31 }, (_, index) => index));
  });

  it('rejects only the call that cannot be encoded', () => {
    const queue = new AppendQueue();
    const turnedAway: unknown[] = [];
    queue.add({ ...call([], (error) => turnedAway.push(error)), events: [{ ...stepStarted(), data: { count: -1, origin: null } }] });
    queue.add(call([batchStarted(1)]));
    expect(turnedAway).toHaveLength(1);
    expect(queue.takeFlush()).toHaveLength(1);
  });

  it('returns all calls, including waiting ones', () => {
    const queue = new AppendQueue();
    for (let index = 0; index < 30; index++) queue.add(call(many(index)));
    expect(queue.takeAll()).toHaveLength(30);
    expect(queue.takeFlush()).toEqual([]);
    expect(queue.events).toBe(0);
  });
});
