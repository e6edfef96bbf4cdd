import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDistiset, verifyDistiset } from '#distiset';
import { exportDistiset, startPipeline } from '#engine';
import { memoryStore, resolveAsOf } from '#log';
import { sha256 } from '#kit/sha256';
import { numbersPlan } from '../../postgres/runs.ts';
import { temporaryFolder } from './temporary-folder.ts';

const rowsFile = 'data/train-00000-of-00001.jsonl';

/** A dataset that was written, and that the side log tells of. */
async function written() {
  const store = memoryStore();
  const run = await startPipeline(store, numbersPlan(20), { seed: 1 });
  await run.drive();
  const asOf = await resolveAsOf(store.log, run.runId, { kind: 'head' });
  const directory = path.join(temporaryFolder(), 'out');
  await exportDistiset(store, await createDistiset(store, run.runId, { asOf }), { directory, format: 'jsonl' });
  return { store, directory };
}

const alter = (directory: string, file: string, from: string | RegExp, to: string): void => {
  const text = fs.readFileSync(path.join(directory, file), 'utf8');
  const altered = text.replace(from, to);
  if (altered === text) throw new Error(`${file} has no ${from}`);
  fs.writeFileSync(path.join(directory, file), altered);
};

/** As somebody does who knows where the hash of a file stands. */
function alterWithHash(directory: string): void {
  const hashOf = () => sha256(fs.readFileSync(path.join(directory, rowsFile)));
  const before = hashOf();
  alter(directory, rowsFile, '"n":8', '"n":9');
  alter(directory, 'distilog.json', before, hashOf());
}

describe('a written dataset', () => {
  it('is as it was written', async () => {
    const { store, directory } = await written();
    expect(await verifyDistiset(store, directory)).toMatchObject({ ok: true, isRecorded: true, differences: [], files: 1, rows: 10 });
  });

  it.each<[string, (directory: string) => void, readonly RegExp[]]>([
    ['a row was altered', (out) => alter(out, rowsFile, '"n":8', '"n":9'), [/train-.* is not the file that was written/]],
    ['a row was cut off', (out) => alter(out, rowsFile, /.*\n$/, ''), [/train-.* is not the file that was written/]],
    ['its file was deleted', (out) => fs.rmSync(path.join(out, rowsFile)), [/train-.* is not there/]],
    [
      'a file was added, which whoever loads the folder would read',
      (out) => fs.writeFileSync(path.join(out, 'data/train-00001-of-00002.jsonl'), '{"n":1,"twice":2}\n'),
      [/train-00001-of-00002\.jsonl is none of the files/],
    ],
    ['a row was altered, and the hash in distilog.json with it', alterWithHash, [/the side log tells of no export of these files/]],
    [
      'the hash of its rows was altered',
      (out) => alter(out, 'distilog.json', /"rowsSha256": "../, '"rowsSha256": "zz'),
      [/other rows in the log/],
    ],
    [
      'the number of its rows was altered',
      (out) => alter(out, 'distilog.json', /"rows": 10,(?=\s*"rowsSha256)/, '"rows": 11,'),
      [/has 10 rows in the log, and 11/],
    ],
    ['the hash of the log was altered', (out) => alter(out, 'distilog.json', /"hash": "../, '"hash": "zz'), [/another hash at position/]],
    [
      'its position was set back',
      (out) => alter(out, 'distilog.json', /"position": \d+/, '"position": 3'),
      [/another hash at position 3/, /other rows in the log/, /has 0 rows/, /no export of these files/],
    ],
    [
      'its only config was given out as one that failed, to be passed over',
      (out) => {
        alter(out, 'distilog.json', '"error": null', '"error": { "code": "c", "message": "m" }');
        alterWithHash(out);
      },
      [/the side log tells of no export of these files/],
    ],
  ])('is not, where %s', async (_what, attack, expected) => {
    const { store, directory } = await written();
    attack(directory);
    const { ok, differences } = await verifyDistiset(store, directory);
    expect(ok).toBe(false);
    expect(differences).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});
