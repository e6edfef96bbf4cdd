import { describe, expect, it } from 'vitest';
import { LoadMeter } from '../../../src/worker/load-meter.ts';

describe('the load of a worker', () => {
  it('counts the calls left in batches until the end of their attempt is recorded', () => {
    const meter = new LoadMeter(() => undefined);
    expect(meter.unfinished('call', 0)).toBeUndefined();
    const first = meter.begin('call', 0, 3);
    meter.begin('call', 1, 2);
    meter.begin('other', 0, 7);
    first.end();
    first.endAtOnce();
    expect([meter.unfinished('call', 0), meter.unfinished('call', 1), meter.unfinishedOf('call')]).toEqual([1, 2, 3]);
    first.end();
    expect(meter.unfinished('call', 0)).toBe(0);
    meter.forget('call', 0);
    expect([meter.unfinished('call', 0), meter.unfinishedOf('call'), meter.unfinishedOf('none')]).toEqual([undefined, 2, 0]);
  });

  it('adds up the bytes of all batches of a step', () => {
    const meter = new LoadMeter(() => undefined);
    meter.begin('call', 0, 1, () => 10);
    meter.begin('call', 1, 1, () => 5);
    meter.begin('other', 0, 1, () => 99);
    expect(meter.heldBytes('call')).toBe(15);
  });

  it('notifies the driver when a batch begins and when a call ends, but not for calls that end at once', () => {
    const freed: string[] = [];
    const meter = new LoadMeter((step) => freed.push(step));
    const load = meter.begin('call', 0, 3);
    load.endAtOnce();
    expect(freed).toEqual(['call']);
    load.end();
    expect(freed).toEqual(['call', 'call']);
  });
});
