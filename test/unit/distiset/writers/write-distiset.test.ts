import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { AssertionError } from '../../../../src/kit/assert.ts';
import { Fault } from '../../../../src/kit/fault.ts';
import type { JsonObject } from '../../../../src/kit/json.ts';
import { sha256 } from '../../../../src/kit/sha256.ts';
import { writeDistiset, type WriteOptions } from '../../../../src/distiset/write-distiset.ts';
import { writeFault } from '../../../../src/distiset/writers/output-directory.ts';
import type { WritableConfig } from '../../../../src/distiset/writers/write-config.ts';
import { everyKind, everyKindRows } from './every-kind.ts';
import { blocksOf, columnsOf, configOf, distisetOf, filesBelow, temporaryFolder } from './written.ts';

const endlessExport = fileURLToPath(new URL('endless-export.ts', import.meta.url));

const shape = { n: z.int(), text: z.string() };
const rows = Array.from({ length: 5 }, (_, n) => ({ n, text: `row ${n}` }));

const failing = (name: string, error: unknown): WritableConfig => ({
  name,
  columns: columnsOf(shape),
  async *blocks() {
    yield* blocksOf(rows, Object.keys(shape));
    throw error;
  },
});

const write = (directory: string, configs: readonly WritableConfig[], options: Partial<WriteOptions> = {}) =>
  writeDistiset(distisetOf(configs), { directory, distilog: '0.0.0', ...options });

const frontMatterOf = (directory: string) =>
  parse(fs.readFileSync(path.join(directory, 'README.md'), 'utf8').split('---\n')[1] ?? '', { version: '1.1' }) as {
    configs: { config_name: string; data_files: unknown }[];
    dataset_info: { config_name: string; features: unknown; splits: { num_examples: number }[] }[];
  };

const hidden = (folder: string) => fs.readdirSync(folder).filter((name) => name.startsWith('.'));

describe('a distiset’s directory', () => {
  it('has one config in data/, a card and distilog.json', async () => {
    const directory = path.join(temporaryFolder(), 'out');
    const { metadata } = await write(directory, [configOf('default', shape, rows)]);
    expect(Object.keys(filesBelow(directory))).toEqual(['README.md', 'data/train-00000-of-00001.parquet', 'distilog.json']);
    expect(JSON.parse(fs.readFileSync(path.join(directory, 'distilog.json'), 'utf8'))).toEqual(metadata);
    expect(frontMatterOf(directory).configs).toEqual([{ config_name: 'default', data_files: [{ split: 'train', path: 'data/train-*' }] }]);
  });

  it('has a separate folder for each config, even if their names collide', async () => {
    const directory = path.join(temporaryFolder(), 'out');
    await write(directory, [configOf('data', shape, rows), configOf('default', shape, rows.slice(1)), configOf('none', shape, [])]);
    const front = frontMatterOf(directory);
    expect(front.configs.map(({ config_name, data_files }) => [config_name, data_files])).toEqual([
      ['data', [{ split: 'train', path: 'data/train-*' }]],
      ['default', [{ split: 'train', path: 'data-2/train-*' }]],
      ['none', [{ split: 'train', path: 'none/train-*' }]],
    ]);
    expect(front.dataset_info.map(({ splits }) => splits[0]?.num_examples)).toEqual([5, 4, 0]);
  });

  it('reports after each block how much was written', async () => {
    const told: number[] = [];
    const configs = [configOf('one', shape, rows), configOf('other', shape, rows.slice(1))];
    await write(path.join(temporaryFolder(), 'out'), configs, { onWritten: (length) => told.push(length) });
    const length = JSON.stringify(rows[0]).length;
    expect(told).toEqual([3, 2, 3, 1].map((some) => some * length));
  });

  it('describes columns as datasets does, JSON as text in Parquet and as it is in JSONL', async () => {
    const folder = temporaryFolder();
    for (const format of ['parquet', 'jsonl'] as const) {
      const directory = path.join(folder, format);
      await write(directory, [configOf('default', everyKind, everyKindRows)], { format });
      const features = frontMatterOf(directory).dataset_info[0]?.features as { name: string }[];
      const feature = (wanted: string) => features.find(({ name }) => name === wanted);
      expect(features.map(({ name }) => name)).toEqual(Object.keys(everyKind));
      expect(feature('scores')).toEqual({ name: 'scores', dtype: format === 'parquet' ? 'string' : 'json' });
      expect(feature('nested')).toEqual({ name: 'nested', list: { list: 'int64' } });
      expect(feature('messages')).toEqual({
        name: 'messages',
        list: [
          { name: 'role', dtype: 'string' },
          { name: 'content', dtype: 'string' },
        ],
      });
      expect(feature('meta')).toMatchObject({ struct: [{ name: 'model' }, { name: 'usage', struct: [{ dtype: 'int64' }] }, {}] });
    }
  });

  it('quotes names that older YAML reads as another type', async () => {
    const directory = path.join(temporaryFolder(), 'out');
    const names = ['no', 'on', 'y', '1_000', '12:30:45', '2026-01-01', 'null', '~', '0x1F', 'a: b', "it's", '"', '- x', '#'];
    await write(directory, [configOf('no', Object.fromEntries(names.map((name) => [name, z.int()])), [])]);
    const front = frontMatterOf(directory);
    expect(front.configs[0]?.config_name).toBe('no');
    const features = (front.dataset_info[0]?.features ?? []) as { name: unknown }[];
    expect(features.map(({ name }) => name)).toEqual(Object.keys(Object.fromEntries(names.map((name) => [name, 0]))));
    expect(fs.readFileSync(path.join(directory, 'README.md'), 'utf8')).toContain('name: "12:30:45"');
  });

  it('keeps a row that looks like Markdown inside its example', async () => {
    const directory = path.join(temporaryFolder(), 'out');
    await write(directory, [configOf('default', { 'a|b`c': z.string() }, [{ 'a|b`c': '````\n# Not a title\n````' }])]);
    const card = fs.readFileSync(path.join(directory, 'README.md'), 'utf8');
    expect(card).toContain('`````json\n');
    expect(card).toContain('| `` a\\|b`c `` | `string` |');
    expect(card.match(/^# .*/gm)).toEqual(['# tried']);
  });

  it.each(['parquet', 'jsonl'] as const)('has the same bytes whenever it is written, without a current time (%s)', async (format) => {
    const folder = temporaryFolder();
    await write(path.join(folder, 'one'), [configOf('default', everyKind, everyKindRows)], { format });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await write(path.join(folder, 'two'), [configOf('default', everyKind, everyKindRows)], { format });
    expect(filesBelow(path.join(folder, 'two'))).toEqual(filesBelow(path.join(folder, 'one')));
  });

  it('has the hash of each file, and its writer', async () => {
    const directory = path.join(temporaryFolder(), 'out');
    const { metadata } = await write(directory, [configOf('a', shape, rows), configOf('b', shape, [])], { compression: 'zstd' });
    const files = filesBelow(directory);
    for (const { path: file, bytes, sha256: hash } of metadata.configs.flatMap((config) => config.files)) {
      expect([files[file]?.byteLength, sha256(files[file] as Buffer)]).toEqual([bytes, hash]);
    }
    expect(metadata.writer).toEqual({
      format: 'parquet',
      compression: 'zstd',
      library: expect.stringMatching(/^hyparquet-writer \d/) as string,
      node: process.versions.node,
    });
  });
});

describe('a config that fails', () => {
  it.each<[string, WritableConfig, string]>([
    ['because its rows cannot be read', failing('bad', new Fault('chunk-corrupted', 'A chunk is damaged.')), 'chunk-corrupted'],
    ['because of an error without a code', failing('bad', new RangeError('odd')), 'unknown'],
    ['because a value is not what its schema says', configOf('bad', shape, [...rows, { n: 1.5, text: '' }]), 'value-not-of-type'],
    ['because a text is a number', configOf('bad', shape, [{ n: 1, text: 1 }]), 'value-not-of-type'],
  ])('%s does not affect the others, and is reported', async (_why, bad, code) => {
    const directory = path.join(temporaryFolder(), 'out');
    const { metadata } = await write(directory, [configOf('before', shape, rows), bad, configOf('after', shape, rows)]);
    expect(metadata.configs.map(({ name, rows: many, files, error }) => [name, many, files.length, error?.code ?? null])).toEqual([
      ['before', 5, 1, null],
      ['bad', 0, 0, code],
      ['after', 5, 1, null],
    ]);
    expect(Object.keys(filesBelow(directory)).filter((file) => file.startsWith('bad'))).toEqual([]);
    expect(fs.existsSync(path.join(directory, 'bad'))).toBe(false);
    expect(frontMatterOf(directory).configs.map(({ config_name }) => config_name)).toEqual(['before', 'after']);
    const card = fs.readFileSync(path.join(directory, 'README.md'), 'utf8');
    expect(card).toContain('**Config `bad` is missing**');
    expect(card).toContain(code);
  });

  it('is checked value by value at every depth, because a wrong value would make the file unreadable', async () => {
    const wrong: readonly (readonly [z.ZodType, unknown])[] = [
      [z.string(), 5],
      [z.boolean(), 'true'],
      [z.number(), '1'],
      [z.int(), 0.5],
      [z.array(z.string()), 'text'],
      [z.array(z.string()), ['a', 1]],
      [z.object({ a: z.int() }), [1]],
      [z.object({ a: z.int() }), { a: 'x' }],
    ];
    for (const [schema, value] of wrong) {
      const directory = path.join(temporaryFolder(), 'out');
      const { metadata } = await write(directory, [configOf('c', { c: schema }, [{ c: value } as JsonObject])]);
      expect(metadata.configs[0]?.error?.code).toBe('value-not-of-type');
    }
  });

  it.each([
    ['the store is away', new Fault('connection-lost', 'The store is away.')],
    ['distilog has a bug', new AssertionError('odd')],
  ])('ends the export if %s, and nothing is left', async (_why, error) => {
    const folder = temporaryFolder();
    await expect(write(path.join(folder, 'out'), [configOf('a', shape, rows), failing('b', error)])).rejects.toBe(error);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('the target of an export', () => {
  it('must not exist', async () => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'empty'));
    fs.writeFileSync(path.join(folder, 'file'), 'mine');
    fs.symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'dangling'));
    // Known before the first row is read: an export may take hours.
    let reads = 0;
    const counted: WritableConfig = {
      ...configOf('counted', shape, []),
      async *blocks() {
        reads++;
        yield* blocksOf(rows, Object.keys(shape));
      },
    };
    for (const name of ['empty', 'empty/', 'file', 'dangling', '.']) {
      await expect(write(path.join(folder, name), [counted]), name).rejects.toMatchObject({ code: 'output-exists' });
    }
    expect(reads).toBe(0);
    expect(fs.readFileSync(path.join(folder, 'file'), 'utf8')).toBe('mine');
    expect(hidden(folder)).toEqual([]);
  });

  it('needs a writable parent', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'file'), '');
    for (const [place, why] of [
      ['missing/out', /missing does not exist/],
      ['file/out', /file is a file/],
      ['x'.repeat(250), /too long/],
    ] as const) {
      await expect(write(path.join(folder, place), [])).rejects.toMatchObject({
        code: 'output-unwritable',
        message: expect.stringMatching(why) as string,
      });
    }
  });

  it('is refused if another export was faster, whose directory stays', async () => {
    const directory = path.join(temporaryFolder(), 'out');
    const slow: WritableConfig = {
      ...configOf('slow', shape, []),
      async *blocks() {
        yield* blocksOf(rows, Object.keys(shape));
        await write(directory, [configOf('quick', shape, rows)]);
      },
    };
    await expect(write(directory, [slow])).rejects.toMatchObject({ code: 'output-exists' });
    expect(fs.readdirSync(directory).sort()).toEqual(['README.md', 'distilog.json', 'quick']);
    expect(hidden(path.dirname(directory))).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('is unchanged if a file cannot be written completely', async () => {
    const folder = temporaryFolder();
    // The kernel refuses what goes beyond 64 blocks, as a full disk would.
    const shell = `ulimit -f 64; exec "$0" "$1" "$2"`;
    const child = spawn('sh', ['-c', shell, process.execPath, endlessExport, path.join(folder, 'out')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (text: Buffer) => {
      errors += text.toString();
    });
    await once(child, 'close');
    expect(errors).toContain("code: 'write-failed'");
    expect(errors).toContain('its files were removed');
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('is reported to be on a full disk', () => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      expect(writeFault(Object.assign(new Error('write'), { code }), '/place')).toMatchObject({ code: 'disk-full' });
    }
    const other = new Error('other');
    expect(writeFault(other, '/place')).toBe(other);
  });

  it('shows nothing of a killed export, whose leftovers the next one removes', async () => {
    const folder = temporaryFolder();
    const directory = path.join(folder, 'out');
    const child = spawn(process.execPath, [endlessExport, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const [living] = hidden(folder);
    expect(living).toMatch(/^\.out\..*\.tmp$/);

    // Its files must not be removed while it is running.
    await write(path.join(folder, 'other'), [configOf('default', shape, rows)]);
    await write(directory, [configOf('default', shape, rows)]);
    expect(hidden(folder)).toEqual([living]);
    fs.rmSync(directory, { recursive: true });

    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(fs.existsSync(directory)).toBe(false);
    expect(hidden(folder)).toEqual([living]);
    await write(path.join(folder, 'third'), [configOf('default', shape, rows)]);
    expect(hidden(folder)).toEqual([living]);
    await write(directory, [configOf('default', shape, rows)]);
    expect(hidden(folder)).toEqual([]);
  }, 60_000);

  it('is cleared of leftovers of an earlier process with our id, but not of files of another machine', async () => {
    const folder = temporaryFolder();
    const here = sha256(os.hostname()).slice(0, 8);
    const leave = (name: string, at: number) => {
      fs.mkdirSync(path.join(folder, name));
      fs.utimesSync(path.join(folder, name), at, at);
      return name;
    };
    const longAgo = performance.timeOrigin / 1_000 - 60;
    leave(`.out.${here}-${process.pid}-bcdfghjk.tmp`, longAgo);
    const mine = leave(`.out.${here}-${process.pid}-bcdfghjm.tmp`, Date.now() / 1_000);
    const elsewhere = leave('.out.00000000-99999999-bcdfghjk.tmp', longAgo);
    const another = leave(`.out2.${here}-99999999-bcdfghjk.tmp`, longAgo);
    await write(path.join(folder, 'out'), [configOf('default', shape, rows)]);
    expect(hidden(folder).sort()).toEqual([mine, elsewhere, another].sort());
  });
});
