import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeDistiset, type Distiset, type WriteOptions } from '../../../src/distiset/index.ts';
import { canonicalJson, type JsonObject } from '../../../src/kit/json.ts';
import { sha256 } from '../../../src/kit/sha256.ts';
import type { WritableConfig } from '../../../src/distiset/writers/write-config.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { everyKind, everyKindRows } from './writers/every-kind.ts';
import { blocksOf, configOf, distisetOf, filesBelow } from './writers/written.ts';

const numbers = (total: number): readonly JsonObject[] => Array.from({ length: total }, (_, n) => ({ n }));
const number = { n: z.int() };

/** Writes a distiset to a directory of its own. */
async function write(distiset: Distiset, options: Partial<WriteOptions> = {}) {
  const directory = path.join(temporaryFolder(), 'out');
  const { metadata } = await writeDistiset(distiset, { directory, distilog: '0.0.0', ...options });
  return { directory, metadata, files: filesBelow(directory) };
}

/** A config that runs a function between its rows. */
const withRows = (name: string, rows: () => AsyncIterable<JsonObject>): WritableConfig => ({
  ...configOf(name, number, []),
  blocks: () => blocksOf(rows(), Object.keys(number)),
});

describe('a distiset that is written', () => {
  it('may have no config at all', async () => {
    const { files, metadata } = await write(distisetOf([]));
    expect(Object.keys(files)).toEqual(['README.md', 'distilog.json']);
    expect(metadata.configs).toEqual([]);
  });

  it('has the same hash of rows in every format, although its files differ', async () => {
    const distiset = distisetOf([configOf('every', everyKind, everyKindRows)]);
    const configs = await Promise.all(
      ([{}, { compression: 'snappy' }, { format: 'jsonl' }] as const).map(
        async (options) => (await write(distiset, options)).metadata.configs[0],
      ),
    );
    const wanted = sha256(everyKindRows.map((row) => `${canonicalJson(row)}\n`).join(''));
    expect(configs.map((config) => config?.rowsSha256)).toEqual([wanted, wanted, wanted]);
    expect(new Set(configs.map((config) => config?.files[0]?.sha256)).size).toBe(3);
  });

  it('has a line for each row in JSONL, and an empty file without rows', async () => {
    const { files, metadata } = await write(distisetOf([configOf('every', everyKind, everyKindRows), configOf('none', number, [])]), {
      format: 'jsonl',
      compression: 'snappy',
    });
    const text = String(files['every/train-00000-of-00001.jsonl']);
    expect(text.endsWith('\n')).toBe(true);
    const lines = text
      .slice(0, -1)
      .split('\n')
      .map((line) => JSON.parse(line) as JsonObject);
    expect(lines).toEqual(everyKindRows);
    for (const line of lines) expect(Object.keys(line)).toEqual(Object.keys(everyKind));
    expect(files['none/train-00000-of-00001.jsonl']).toEqual(Buffer.of());
    expect(metadata.writer).toMatchObject({ format: 'jsonl', compression: null, library: 'distilog' });
  });

  it('reads its configs one after the other', async () => {
    const asked: string[] = [];
    const watched = (name: string) =>
      withRows(name, async function* () {
        asked.push(`${name} begins`);
        yield* numbers(2);
        asked.push(`${name} ends`);
      });
    await write(distisetOf([watched('a'), watched('b')]));
    expect(asked).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('says on its card that the run continues, and lists what is left out', async () => {
    const leftOut = [{ name: 'other', step: 'other', state: 'blocked' as const }];
    const card = String((await write({ ...distisetOf([configOf('some', number, [])]), leftOut })).files['README.md']);
    expect(card).toContain('Status of the run there: **running**, more rows may follow.');
    expect(card).toContain('Left out: `other`, because it is blocked.');
    expect(String((await write({ ...distisetOf([]), status: 'succeeded' })).files['README.md'])).toContain(
      'Status of the run there: **succeeded**.',
    );
  });

  it('shortens long values on its card, but not in its files', async () => {
    const long = 'x'.repeat(100_000);
    const { files } = await write(distisetOf([configOf('default', { a: z.string(), b: z.array(z.string()) }, [{ a: long, b: [long] }])]));
    expect(String(files['README.md']).length).toBeLessThan(5_000);
    const { files: jsonl } = await write(distisetOf([configOf('default', { a: z.string() }, [{ a: long }])]), { format: 'jsonl' });
    expect(String(jsonl['data/train-00000-of-00001.jsonl'])).toBe(`{"a":"${long}"}\n`);
  });
});

describe('an export that fails', () => {
  const disk = (code: string) => Object.assign(new Error(`${code}: it failed, write`), { code, syscall: 'write' });

  it.each([
    ['ENOSPC', 'disk-full'],
    ['EIO', 'write-failed'],
  ])('because of the disk (%s) leaves nothing, so that the next one can use its place', async (error, code) => {
    const directory = path.join(temporaryFolder(), 'out');
    const failing = withRows('failing', async function* () {
      yield* numbers(20_000);
      throw disk(error);
    });
    const before = configOf('before', number, numbers(5));
    await expect(writeDistiset(distisetOf([before, failing]), { directory, distilog: '0.0.0' })).rejects.toMatchObject({ code });
    expect(fs.readdirSync(path.dirname(directory))).toEqual([]);
    await writeDistiset(distisetOf([before]), { directory, distilog: '0.0.0' });
    expect(fs.readdirSync(path.dirname(directory))).toEqual(['out']);
  });

  it('because a folder appeared at its place leaves that folder unchanged, even if it is empty', async () => {
    const directory = path.join(temporaryFolder(), 'out');
    const meanwhile = withRows('meanwhile', async function* () {
      fs.mkdirSync(directory);
      yield* numbers(1);
    });
    await expect(writeDistiset(distisetOf([meanwhile]), { directory, distilog: '0.0.0' })).rejects.toMatchObject({ code: 'output-exists' });
    expect(fs.readdirSync(path.dirname(directory))).toEqual(['out']);
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it('because its path is too long, or below a file, reports it', async () => {
    const parent = temporaryFolder();
    fs.writeFileSync(path.join(parent, 'file'), '');
    for (const [name, why] of [
      ['x'.repeat(250), 'its name is too long'],
      ['x'.repeat(300), 'its name is too long'],
      ['file/out', 'file is a file'],
      ['file/folder/out', ''],
      ['none/out', 'none does not exist'],
    ] as const) {
      const message = expect.stringContaining(why) as string;
      await expect(writeDistiset(distisetOf([]), { directory: path.join(parent, name), distilog: '0.0.0' })).rejects.toMatchObject({
        code: 'output-unwritable',
        message,
      });
    }
    expect(fs.readdirSync(parent)).toEqual(['file']);
  });

  it.skipIf(process.getuid?.() === 0)('because the folder is not writable reports it', async () => {
    const parent = temporaryFolder();
    fs.chmodSync(parent, 0o555);
    await expect(writeDistiset(distisetOf([]), { directory: path.join(parent, 'out'), distilog: '0.0.0' })).rejects.toMatchObject({
      code: 'output-unwritable',
    });
  });
});
