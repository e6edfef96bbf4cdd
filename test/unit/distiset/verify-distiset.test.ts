import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createDistiset,
  verifyDistiset,
  writeDistiset,
  type DistisetMetadata,
  type Format,
  type WriteOptions,
} from '../../../src/distiset/index.ts';
import { actor } from '../../fixtures/actor.ts';
import { exportDistiset } from '../../../src/engine/index.ts';
import { codeOf } from '../../../src/kit/fault.ts';
import { canonicalJson } from '../../../src/kit/json.ts';
import { sha256 } from '../../../src/kit/sha256.ts';
import { appendSideEvent, resolveAsOf, type Store } from '../../../src/log/index.ts';
import { pipeline } from '../../../src/pipeline/index.ts';
import { ran } from '../engine/engine.ts';
import { changedRun } from './changed-runs.ts';
import { mutations } from './mutations.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { filesBelow } from './writers/written.ts';

const formats = ['parquet', 'jsonl', 'csv'] as const;

/** A run of two leaves: one with a lost row, a list and a null, the other with a definition that changed during the run. */
const twoLeaves = ran(
  pipeline('leaves', ({ source }) => {
    const rows = source('rows', {
      output: z.object({ n: z.int(), text: z.string().nullable(), list: z.array(z.string()) }),
      rows: Array.from({ length: 20 }, (_, n) => ({ n, text: n % 3 === 0 ? null : `"text", ${n}\nof two lines`, list: [`${n}`] })),
      batchSize: 5,
    });
    const kept = rows.map('kept', {
      output: z.object({ twice: z.number() }),
      run: ({ n }) => {
        if (n === 7) throw Object.assign(new Error('unlucky'), { retryable: false });
        return { twice: n / 2 };
      },
    });
    kept.filter('even', { keep: ({ n }) => n % 2 === 0 });
    kept.filter('odd', { keep: ({ n }) => n % 2 === 1 });
  }),
  { isRejectLimitLifted: true },
);
const changed = changedRun();

const runs: Readonly<Record<string, () => Promise<{ readonly store: Store; readonly runId: string }>>> = {
  'two leaves': () => twoLeaves,
  'three definitions': () => changed,
};

async function written(of: string, options: Partial<WriteOptions> = {}) {
  const { store, runId } = (await runs[of]?.()) ?? (await twoLeaves);
  const directory = path.join(temporaryFolder(), 'out');
  const asOf = await resolveAsOf(store.log, runId, { kind: 'head' });
  const { metadata } = await writeDistiset(await createDistiset(store, runId, { asOf }), { directory, distilog: '0.0.0', ...options });
  return { store, runId, directory, metadata, asOf };
}

const read = (directory: string, file: string) => fs.readFileSync(path.join(directory, file), 'utf8');
const put = (directory: string, file: string, text: string | Buffer) => fs.writeFileSync(path.join(directory, file), text);
/** As distilog writes it, so that nothing but what was changed is found. */
const metadataText = (document: unknown) => `${JSON.stringify(JSON.parse(canonicalJson(document)), null, 2)}\n`;

function alter(directory: string, file: string, from: string | RegExp, to: string): void {
  const text = read(directory, file);
  const altered = text.replace(from, to);
  if (altered === text) throw new Error(`${file} has no ${from}`);
  put(directory, file, altered);
}

/** Writes an altered file's size and hash wherever the folder states them, as an attacker with knowledge of distilog would. */
function restate(directory: string, file: string, before: Buffer): void {
  const after = fs.readFileSync(path.join(directory, file));
  alter(directory, 'distilog.json', sha256(before), sha256(after));
  if (before.byteLength === after.byteLength) return;
  alter(directory, 'distilog.json', `"bytes": ${before.byteLength}`, `"bytes": ${after.byteLength}`);
  alter(directory, 'README.md', `download_size: ${before.byteLength}`, `download_size: ${after.byteLength}`);
}

/** Records the folder's claims in the side log, as any program with access to it can. */
async function forgeExport(store: Store, runId: string, directory: string): Promise<void> {
  const { asOf, configs } = JSON.parse(read(directory, 'distilog.json')) as DistisetMetadata;
  const actor = { user: 'mallory', host: 'elsewhere', pid: 1 };
  const data = {
    actor,
    asOf,
    directory,
    format: 'jsonl',
    configs: configs.map(({ name, step, rows, rowsSha256, files }) => ({ name, step, rows, rowsSha256, files })),
  };
  await appendSideEvent(store.log, runId, { type: 'DistisetWritten', data }, 'mallory@elsewhere:1');
}

/** Returns whether a verification finds no difference and throws no fault. */
async function verdict(store: Store, directory: string): Promise<{ readonly ok: boolean; readonly unproven: readonly string[] }> {
  try {
    return await verifyDistiset(store, directory);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return { ok: false, unproven: [] };
  }
}

describe('a written dataset', () => {
  it.each(formats.flatMap((format) => Object.keys(runs).map((of) => [format, of] as const)))(
    'is as the log gives it, with no word of the side log (%s, %s)',
    async (format, of) => {
      const { store, directory } = await written(of, { format });
      expect(await verifyDistiset(store, directory)).toMatchObject({ ok: true, isRecorded: false, differences: [] });
    },
  );

  it('is verified without snapshots', async () => {
    const { store, directory } = await written('two leaves', { format: 'jsonl' });
    const lying: Store = {
      ...store,
      snapshots: { ...store.snapshots, nearest: async (wanted) => wanted.map(() => ({ position: 1, state: {} })) },
    };
    expect(await verifyDistiset(lying, directory)).toMatchObject({ ok: true, differences: [] });
  });

  it('lists its exporter as a statement that the log cannot prove', async () => {
    const { store, runId } = await twoLeaves;
    const directory = path.join(temporaryFolder(), 'out');
    const asOf = await resolveAsOf(store.log, runId, { kind: 'head' });
    await exportDistiset(store, await createDistiset(store, runId, { asOf }), { directory, format: 'jsonl', actor });
    const { ok, isRecorded, unproven } = await verifyDistiset(store, directory);
    expect({ ok, isRecorded }).toEqual({ ok: true, isRecorded: true });
    expect(unproven).toContainEqual(expect.stringMatching(/^exported by ada@engine at .* according to the side log$/));
    expect(unproven).toContainEqual(expect.stringMatching(/^written by distilog .* with distilog on Node\.js /));
  });

  it.each(formats)('may hold the same rows as other bytes, if another version wrote it (%s)', async (format) => {
    const { store, directory, metadata } = await written('two leaves', { format, shardBytesMax: 100 });
    // Cut into one file instead of several, or by a writer of another name.
    const { options } = (await written('two leaves', { format })).metadata;
    const said = { ...metadata, options, writer: { ...metadata.writer, library: 'other 1.0.0' } };
    put(directory, 'distilog.json', metadataText(said));
    if (format === 'parquet') for (const { files } of metadata.configs) renameWriter(directory, files[0]?.path ?? '');
    const found = await verifyDistiset(store, directory);
    expect(found).toMatchObject({ ok: true, differences: [] });
    expect(found.unproven).toContainEqual(expect.stringContaining('have the rows of the log but not the bytes that this version writes'));

    // This version writes other bytes for these rows, so it cannot have written them.
    alter(directory, 'distilog.json', 'other 1.0.0', metadata.writer.library);
    const { ok, differences } = await verifyDistiset(store, directory);
    expect(ok).toBe(false);
    expect(differences[0]).toMatch(format === 'parquet' ? /not the bytes that its writer produces/ : /train-.* is missing/);
  });
});

/** Gives a Parquet file's writer another name, which is in its footer. */
function renameWriter(directory: string, file: string): void {
  const before = fs.readFileSync(path.join(directory, file));
  const after = Buffer.from(before);
  after.write('other-by', after.lastIndexOf('distilog'));
  put(directory, file, after);
  restate(directory, file, before);
}

describe('an altered dataset is found', () => {
  it.each([
    ['parquet', 'two leaves'],
    ['jsonl', 'three definitions'],
    ['csv', 'two leaves'],
  ] as const)('wherever distilog.json was changed (%s, %s)', async (format, of) => {
    const { store, runId, directory, asOf } = await written(of, { format });
    const document = JSON.parse(read(directory, 'distilog.json')) as DistisetMetadata;
    const passed: string[] = [];
    for (const { path: at, what, document: changedDocument } of mutations(document)) {
      put(directory, 'distilog.json', metadataText(changedDocument));
      const { ok, unproven } = await verdict(store, directory);
      if (!ok) continue;
      // The writer is only claimed by the folder, and reported as such.
      const { distilog, options, writer } = changedDocument as DistisetMetadata;
      const words = [distilog, writer.library, writer.node];
      if (['distilog', 'writer.library', 'writer.node'].includes(at) && words.every((word) => unproven.some((said) => said.includes(word))))
        continue;
      // Other options may give exactly the same export, which is then correct.
      if (at.startsWith('options') && (await givesTheSame(options))) continue;
      passed.push(`${at}: ${what}`);
    }
    expect(passed).toEqual([]);

    async function givesTheSame({ include, steps, shardBytesMax, csvEscapeFormulas }: DistisetMetadata['options']): Promise<boolean> {
      const again = path.join(temporaryFolder(), 'again');
      const distiset = await createDistiset(store, runId, { asOf, include, steps: steps ?? undefined });
      await writeDistiset(distiset, {
        directory: again,
        distilog: '0.0.0',
        format,
        shardBytesMax,
        csvEscapeFormulas: csvEscapeFormulas ?? false,
      });
      // The text of the card may name an option, but it is not compared.
      const { 'README.md': _card, ...files } = filesBelow(again);
      return Object.entries(files).every(([file, bytes]) => bytes.equals(fs.readFileSync(path.join(directory, file))));
    }
  });

  it.each(formats)('wherever the front matter of its card was changed (%s)', async (format) => {
    const { store, directory } = await written('two leaves', { format });
    const card = read(directory, 'README.md');
    const [, front = '', body = ''] = card.split(/^---\n/m);
    const passed: string[] = [];
    for (const { path: at, what, document } of mutations(parse(front))) {
      put(directory, 'README.md', `---\n${stringify(document, { defaultStringType: 'QUOTE_DOUBLE' })}---\n${body}`);
      const { ok, unproven } = await verdict(store, directory);
      if (!ok) continue;
      // Added members and tags are reported as not coming from the log.
      if (
        what.endsWith('more') &&
        (at === 'tags' || (at === '' && unproven.some((said) => said.includes('members that do not come from the log: more'))))
      )
        continue;
      passed.push(`${at}: ${what}`);
    }
    expect(passed).toEqual([]);
  });

  it.each(formats)('where a row was altered together with all statements of the folder and the side log (%s)', async (format) => {
    const { store, runId, directory, metadata } = await written('two leaves', { format });
    const file = metadata.configs[0]?.files[0]?.path ?? '';
    const before = fs.readFileSync(path.join(directory, file));
    const other = await otherRows(format);
    put(directory, file, other);
    restate(directory, file, before);
    await forgeExport(store, runId, directory);
    const { ok, differences } = await verifyDistiset(store, directory);
    expect(ok).toBe(false);
    expect(differences[0]).toMatch(/^even\/train-.*: row 1 is .*forged.*, and the log has .*/);
    // It is not accepted as the work of another version, either.
    alter(directory, 'distilog.json', /"library": ".*"/, '"library": "other 1.0.0"');
    expect(await verifyDistiset(store, directory)).toMatchObject({ ok: false });
  });

  it.each<[string, Format, (directory: string) => void, RegExp]>([
    [
      'a row was cut off',
      'jsonl',
      (out) => alter(out, 'even/train-00000-of-00001.jsonl', /.*\n$/, ''),
      /even\/train-.* has fewer rows than the log/,
    ],
    [
      'a row was added',
      'jsonl',
      (out) => fs.appendFileSync(path.join(out, 'odd/train-00000-of-00001.jsonl'), '{"n":1,"text":null,"list":[],"twice":1}\n'),
      /odd\/train-.* has more rows than the log/,
    ],
    [
      'a line says a column twice',
      'jsonl',
      (out) => alter(out, 'even/train-00000-of-00001.jsonl', '{"n":2,', '{"n":3,"n":2,'),
      /has a line that distilog does not write/,
    ],
    [
      'a line is no row',
      'jsonl',
      (out) => alter(out, 'even/train-00000-of-00001.jsonl', /^/, 'null\n'),
      /has a line that is not a row: null/,
    ],
    ['a file was deleted', 'csv', (out) => fs.rmSync(path.join(out, 'even/train-00000-of-00001.csv')), /even\/train-.* is missing/],
    [
      'a quote was never closed',
      'csv',
      (out) => fs.appendFileSync(path.join(out, 'even/train-00000-of-00001.csv'), '"'),
      /is not a CSV file/,
    ],
    [
      'the columns are named otherwise',
      'csv',
      (out) => alter(out, 'even/train-00000-of-00001.csv', 'n,text', 'm,text'),
      /has other columns in its first line/,
    ],
    [
      'an empty text became null',
      'csv',
      (out) => alter(out, 'even/train-00000-of-00001.csv', ',,', ',"",'),
      /row 0 is .*, and the log has/,
    ],
    [
      'a file was cut in the middle',
      'parquet',
      (out) => fs.truncateSync(path.join(out, 'odd/train-00000-of-00001.parquet'), 300),
      /cannot be read as parquet/,
    ],
    [
      'a file is a link',
      'jsonl',
      (out) => {
        fs.renameSync(path.join(out, 'odd/train-00000-of-00001.jsonl'), path.join(out, '.elsewhere'));
        fs.symlinkSync('../.elsewhere', path.join(out, 'odd/train-00000-of-00001.jsonl'));
      },
      /odd\/train-.* is a link or not a regular file/,
    ],
    [
      'a file was added',
      'jsonl',
      (out) => put(out, 'even/train-00001-of-00002.jsonl', '{}\n'),
      /train-00001-of-00002\.jsonl was not written by the export/,
    ],
    [
      'a file stands in for the card',
      'jsonl',
      (out) => put(out, '.huggingface.yaml', 'configs: []\n'),
      /\.huggingface\.yaml was not written by the export/,
    ],
    ['the card is gone', 'jsonl', (out) => fs.rmSync(path.join(out, 'README.md')), /README\.md is missing/],
    ['the card has no front matter', 'jsonl', (out) => put(out, 'README.md', '# even\n'), /README\.md has no front matter/],
    [
      'the card points elsewhere',
      'jsonl',
      (out) => alter(out, 'README.md', 'path: "even/train-*"', 'path: "odd/train-*"'),
      /configs\[0\]\.data_files\[0\]\.path is "odd\/train-\*"/,
    ],
    [
      'older YAML reads the card otherwise',
      'jsonl',
      (out) => alter(out, 'README.md', 'num_examples: 10', 'num_examples: 010'),
      /num_examples is/,
    ],
    [
      'newer YAML reads the card otherwise',
      'jsonl',
      (out) => alter(out, 'README.md', 'num_examples: 10', 'num_examples: 1_0'),
      /num_examples is "1_0"/,
    ],
    [
      'the card has an alias',
      'jsonl',
      (out) => alter(out, 'README.md', 'tags:\n', 'more: &a 1\nother: *a\ntags:\n'),
      /cannot be read as YAML/,
    ],
    [
      'the front matter ends elsewhere to readers that take a lone carriage return for the end of a line',
      'jsonl',
      (out) => alter(out, 'README.md', '\n---\n\n', '\n---\rconfigs: []\n---\n\n'),
      /README\.md has a carriage return without a line feed/,
    ],
    ['the card says a member twice', 'jsonl', (out) => alter(out, 'README.md', /^---\n/, '---\nconfigs: []\n'), /cannot be read as YAML/],
    [
      'the card merges members in',
      'jsonl',
      (out) => alter(out, 'README.md', 'tags:\n', '<<: { builder: other }\ntags:\n'),
      /README\.md merges members/,
    ],
    [
      'distilog.json says a member twice',
      'jsonl',
      (out) => alter(out, 'distilog.json', '{\n', '{\n  "distilog": "other",\n'),
      /may have a key twice/,
    ],
    [
      'a config is given out as one that failed',
      'jsonl',
      (out) => {
        const document = JSON.parse(read(out, 'distilog.json')) as DistisetMetadata;
        const [first, ...others] = document.configs;
        const failed = { ...first, error: { code: 'chunk-missing', message: 'gone' } };
        put(out, 'distilog.json', metadataText({ ...document, configs: [failed, ...others] }));
      },
      /config even is recorded as unreadable \(chunk-missing: gone\), but the log has 10 rows of it/,
    ],
  ])('where %s (%s)', async (_what, format, attack, expected) => {
    const { store, directory } = await written('two leaves', { format });
    attack(directory);
    const { ok, differences } = await verifyDistiset(store, directory);
    expect(ok).toBe(false);
    expect(differences).toContainEqual(expect.stringMatching(expected));
  });

  it('where distilog.json is a link or a pipe, without waiting for the pipe', async () => {
    const { store, directory } = await written('two leaves', { format: 'jsonl' });
    const file = path.join(directory, 'distilog.json');
    const refused = { code: 'not-a-distiset', message: expect.stringMatching(/it is a link or not a regular file/) as string };
    fs.renameSync(file, path.join(directory, '.elsewhere'));
    fs.symlinkSync('.elsewhere', file);
    await expect(verifyDistiset(store, directory)).rejects.toMatchObject(refused);
    if (process.platform === 'win32') return;
    fs.rmSync(file);
    expect(spawnSync('mkfifo', [file]).status).toBe(0);
    await expect(verifyDistiset(store, directory)).rejects.toMatchObject(refused);
  });

  it('accepts added text on the card, and reports it as unproven', async () => {
    const { store, directory } = await written('two leaves', { format: 'jsonl' });
    alter(directory, 'README.md', 'tags:\n', 'license: "cc0-1.0"\ntags:\n  - "mine"\n');
    fs.appendFileSync(path.join(directory, 'README.md'), 'More of it.\n');
    const { ok, unproven } = await verifyDistiset(store, directory);
    expect(ok).toBe(true);
    expect(unproven).toEqual(
      expect.arrayContaining([
        'the front matter of README.md has members that do not come from the log: license',
        'the text of README.md below its front matter is not the one that distilog writes',
      ]),
    );
  });
});

/** The rows of `even` with one altered, as a file that is whole. */
async function otherRows(format: Format): Promise<Buffer> {
  const { store, runId } = await twoLeaves;
  const directory = path.join(temporaryFolder(), 'other');
  const asOf = await resolveAsOf(store.log, runId, { kind: 'head' });
  const distiset = await createDistiset(store, runId, { asOf });
  const configs = distiset.configs.map((config) => ({
    ...config,
    blocks: async function* () {
      for await (const { count, values } of config.blocks()) {
        yield {
          count,
          values: values.map((column) =>
            column.map((value) => (typeof value === 'string' && value.startsWith('"text", 2\n') ? 'forged' : value)),
          ),
        };
      }
    },
  }));
  await writeDistiset({ ...distiset, configs }, { directory, format, distilog: '0.0.0' });
  return fs.readFileSync(path.join(directory, `even/train-00000-of-00001.${format}`));
}
