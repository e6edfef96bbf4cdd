import { describe, expect, it } from 'vitest';
import { chainHash, encodeEvent, leafHash, rootHash } from '../../../src/log/index.ts';
import { batchStarted, batchSucceeded, stepStarted } from './log-fixture.ts';

describe('the hash chain', () => {
  // Existing logs must verify for ever, so these hashes never change.
  it('computes the hashes that released versions wrote', () => {
    const leaf = leafHash(encodeEvent(batchStarted(3)));
    const root = rootHash([leaf, leafHash(encodeEvent(batchSucceeded(3, 1, ['ab'.repeat(32)])))]);
    const hash = chainHash({
      previous: '',
      root,
      logId: 'numbers-7k2m4q',
      first: 1,
      last: 2,
      recordedAt: 1_795_514_400_000_001,
      clock: 1_795_514_400_000_000,
      appendId: 'x',
      epoch: 1,
      writer: 'ada@engine:1',
    });
    expect([leaf, root, hash]).toMatchInlineSnapshot(`
      [
        "bb560f1b5cf1f482874030a57a72c93d3563a636ba2421e3080374b393968e86",
        "d89546fd2bdd2ece3b2fa1e419117e5f72938643b4769523cdb21a963587acd7",
        "803d2d61c677d3cf5c9a37c38f11b9511b755f9f76943bac8defd315177c2300",
      ]
    `);
  });

  it('computes those of events without a batch, and of events with several chunks', () => {
    const stepLevel = leafHash(encodeEvent(stepStarted('all', 7)));
    const chunks = leafHash(encodeEvent(batchSucceeded(3, 1, ['ab'.repeat(32), 'cd'.repeat(32)])));
    expect([stepLevel, chunks]).toEqual([
      'e4d6444ce82d3292a0b46300fc60a5b5075e55633a6b22dfd14b73759ed9a374',
      '89adcf52cd1646ac5d2047bf5021330e5b7d0f758aa36d6f839ee78c3f7065fa',
    ]);
  });

  it('distinguishes fields: text that moves from one to the next, and null from an empty text', () => {
    const event = encodeEvent(batchStarted(3));
    const leaves = [
      event,
      { ...event, type: 'BatchStarte', step: 'dall' },
      { ...event, pass: 13, batch: null },
      { ...event, pass: 1, batch: 33 },
      { ...event, step: '' },
      { ...event, step: null },
      { ...event, step: '-1' },
      { ...event, chunks: ['ab'] },
    ].map(leafHash);
    expect(new Set(leaves).size).toBe(leaves.length);
  });

  it('depends on the order of an append’s events', () => {
    const [a, b] = [leafHash(encodeEvent(batchStarted(1))), leafHash(encodeEvent(batchStarted(2)))];
    expect(rootHash([a, b])).not.toBe(rootHash([b, a]));
  });
});
