import { describe, expect, it } from 'vitest';
import { jsonPieces } from '../../../src/cli/json-pieces.ts';

const piecesOf = (members: object, lists: Readonly<Record<string, readonly unknown[]>>) =>
  Array.fromAsync(
    jsonPieces({ ...members }, Object.fromEntries(Object.entries(lists).map(([name, items]) => [name, ReadableStream.from(items)]))),
  );

describe('an object whose lists are printed as they are read', () => {
  it.each([
    [{}, {}],
    [{}, { rows: [] }],
    [
      { runId: 'a "run"', asOf: { position: 3 } },
      { rejected: [], failedBatches: [] },
    ],
    [{ runId: 'a' }, { rejected: [{ row: 1 }, null, 'a\nb'], failedBatches: [1] }],
  ])('is the JSON of the whole: %j, %j', async (members, lists) => {
    expect((await piecesOf(members, lists)).join('')).toBe(JSON.stringify({ ...members, ...lists }));
  });

  it('is never held as a whole', async () => {
    const items = Array.from({ length: 10_000 }, (_, n) => ({ n, text: 'x'.repeat(90) }));
    const pieces = await piecesOf({ runId: 'a' }, { items, none: [] });
    expect(pieces.join('')).toBe(JSON.stringify({ runId: 'a', items, none: [] }));
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(66_000);
  });
});
