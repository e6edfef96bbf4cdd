import { describe, expect, it } from 'vitest';
import { chainHash, encodeEvent, leafHash, rootHash } from '#log';
import { batchStarted, batchSucceeded, stepStarted } from './log-fixture.ts';

describe('the hash chain', () => {
  // Logs that were written must verify for ever: these hashes are frozen.
  it('gives the hashes that released versions wrote', () => {
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
        "b718b47a1e9b183793b3d576da95f64feec5ba80e156b5656cd7e40ad8383a10",
        "e5a783f9e26a908e742b3657adef3174e14284914257898f8968e185c0e426d7",
        "97ac0f2e6c68e46bf85f2a51ba405ad6f9638e6352397bea7abdbb7783f4a8c8",
      ]
    `);
  });

  it('gives them of events that have no batch, and of those with several chunks', () => {
    const stepLevel = leafHash(encodeEvent(stepStarted('all', 7)));
    const chunks = leafHash(encodeEvent(batchSucceeded(3, 1, ['ab'.repeat(32), 'cd'.repeat(32)])));
    expect([stepLevel, chunks]).toEqual([
      'e4d6444ce82d3292a0b46300fc60a5b5075e55633a6b22dfd14b73759ed9a374',
      '89adcf52cd1646ac5d2047bf5021330e5b7d0f758aa36d6f839ee78c3f7065fa',
    ]);
  });

  it('tells fields apart: what moves from one to the next, and nothing from an empty text', () => {
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

  it('tells the order of an append’s events', () => {
    const [a, b] = [leafHash(encodeEvent(batchStarted(1))), leafHash(encodeEvent(batchStarted(2)))];
    expect(rootHash([a, b])).not.toBe(rootHash([b, a]));
  });
});
