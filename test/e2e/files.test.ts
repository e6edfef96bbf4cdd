import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { distilog, finished, json, killGroup, start, workFolder } from './command.ts';

const cwd = await workFolder();

function file(name: string, content: string | Uint8Array): string {
  fs.writeFileSync(path.join(cwd, name), content);
  return name;
}

const textIn = (name: string) => fs.readFileSync(path.join(cwd, name), 'utf8');

describe('a pipeline that init writes', () => {
  it('reads a CSV file, runs unchanged, and its dataset is exported as CSV', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, n) => `${n},"name ${n}, the ""${n}th""",${n % 7 === 0 ? '' : n / 2},${n % 2 === 0},"[""a"",""b${n}""]",0${n}`,
    );
    file('people.csv', `\uFEFFid,full name,score,active,tags,code\r\n${lines.join('\r\n')}\r\n`);
    const made = await distilog(['init', 'people.csv'], { cwd });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('pipeline.ts reads people.csv: 6 columns, inferred from its first 200 rows');
    expect(made.stdout).toContain('distilog run pipeline.ts');
    const text = textIn('pipeline.ts');
    for (const member of [
      'id: z.int(),',
      "'full name': z.string(),",
      'score: z.number().nullable(),',
      'active: z.boolean(),',
      'tags: z.array(z.string()),',
      'code: z.string(),',
      "csv(new URL('./people.csv', import.meta.url), {",
    ])
      expect(text).toContain(member);

    const ran = await distilog(['run', 'pipeline.ts'], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
    const events = (await distilog(['log', '--type', 'StepStarted', '--json'], { cwd })).stdout.trim().split('\n');
    expect(JSON.parse(events[0] ?? '')).toMatchObject({ data: { count: 300, origin: { path: 'people.csv', rows: 300 } } });

    const written = await json<{ configs: { rows: number; files: { path: string }[] }[] }>(
      ['distiset', '--format', 'csv', '--out', 'dataset'],
      { cwd },
    );
    expect(written.configs).toMatchObject([{ rows: 300, files: [{ path: 'data/train-00000-of-00001.csv' }] }]);
    const out = textIn('dataset/data/train-00000-of-00001.csv').split('\r\n');
    expect(out[0]).toBe('id,full name,score,active,tags,code,characters');
    expect(out[1]).toBe('0,"name 0, the ""0th""",,true,"[""a"",""b0""]",00,17');
    expect(out).toHaveLength(302);
    expect(JSON.parse(textIn('dataset/distilog.json'))).toMatchObject({
      writer: { format: 'csv', compression: null, library: expect.stringMatching(/^csv-stringify \d/) as string },
    });

    // And in again, from a pipeline that init makes of it.
    expect(await distilog(['init', 'dataset/data/train-00000-of-00001.csv', '--out', 'again.ts'], { cwd })).toMatchObject({ code: 0 });
    expect((await distilog(['run', 'again.ts'], { cwd })).code).toBe(0);
    expect(textIn('again.ts')).toContain('textLength');
  });

  it('reads JSONL and Parquet files, whatever their columns', async () => {
    file(
      'odd name#1.jsonl',
      [
        { id: 1, text: 'a', meta: { lang: 'en', scores: [1, 2.5], extra: null }, any: 1, class: null },
        { id: 2, meta: { lang: 'de', scores: [], deep: { a: true } }, any: 'x', class: 'y', 'it\'s "odd"': [] },
      ]
        .map((row) => JSON.stringify(row))
        .join('\n'),
    );
    expect(await distilog(['init', 'odd name#1.jsonl', '--out', 'jsonl.ts'], { cwd })).toMatchObject({ code: 0 });
    const text = textIn('jsonl.ts');
    expect(text).toContain(
      'meta: z.object({ lang: z.string(), scores: z.array(z.number()), extra: z.json().optional(), deep: z.object({ a: z.boolean() }).optional() }),',
    );
    expect(text).toContain('any: z.json(),');
    expect(text).toContain('class: z.string().nullable(),');
    expect(text).toContain(`'it\\'s "odd"': z.array(z.json()).nullable(),`);
    expect(await distilog(['run', 'jsonl.ts'], { cwd })).toMatchObject({ code: 0 });
    expect(await distilog(['distiset', '--out', 'parquet'], { cwd })).toMatchObject({ code: 0 });
    expect(await distilog(['init', 'parquet/data/train-00000-of-00001.parquet', '--out', 'parquet.ts', '--json'], { cwd })).toMatchObject({
      code: 0,
    });
    const ran = await distilog(['run', 'parquet.ts'], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
  });

  it('leaves out columns that a row cannot have, and says so', async () => {
    file('odd.csv', 'a,b,b,\n1,2,3,4\n');
    const { code, stderr } = await distilog(['init', 'odd.csv', '--out', 'odd.ts'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('column "b" is left out: the name occurs twice');
    expect(stderr).toContain('column "" is left out: a column cannot have this name');
    expect(await distilog(['run', 'odd.ts'], { cwd })).toMatchObject({ code: 0 });
  });

  it('overwrites nothing without --force', async () => {
    file('few.csv', 'a\n1\n');
    file('mine.ts', '// mine');
    expect(await distilog(['init', 'few.csv', '--out', 'mine.ts'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/mine\.ts exists already.*--force/) as string,
    });
    expect(textIn('mine.ts')).toBe('// mine');
    expect(await distilog(['init', 'few.csv', '--out', 'mine.ts', '--force'], { cwd })).toMatchObject({ code: 0 });
    expect(textIn('mine.ts')).toContain('a: z.int(),');
  });

  it('writes nothing through a link to a file that does not exist, with --force or without', async () => {
    file('few.csv', 'a\n1\n');
    fs.symlinkSync('elsewhere.ts', path.join(cwd, 'dangling.ts'));
    for (const force of [[], ['--force']]) {
      const { code, stderr } = await distilog(['init', 'few.csv', '--out', 'dangling.ts', ...force], { cwd });
      expect([code, stderr]).toEqual([2, expect.stringContaining('dangling.ts is a link to a file that does not exist')]);
    }
    expect(fs.existsSync(path.join(cwd, 'elsewhere.ts'))).toBe(false);
  });

  it.each([
    ['no file', 'none.csv', /There is no file none\.csv/],
    ['a folder', '.', /is a folder/],
    ['another format', file('table.xlsx', 'PK'), /table\.xlsx is not a \.jsonl, \.csv, \.tsv or \.parquet file/],
    ['a JSON array', file('array.json', '[{"a":1}]'), /jq -c/],
    ['an empty CSV file', file('empty.csv', ''), /empty\.csv is empty/],
    ['an empty JSONL file', file('empty.jsonl', '\n'), /it has no rows/],
    ['lines that are no JSON', file('text.jsonl', 'hello\n'), /text\.jsonl:1, column 1: expected a value, got "h"/],
    ['no Parquet', file('none.parquet', 'not a parquet file'), /does not end in PAR1/],
  ])('is none for %s: a sentence and exit code 2', async (_name, name, says) => {
    const { code, stderr } = await distilog(['init', name, '--out', 'never.ts'], { cwd });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(fs.existsSync(path.join(cwd, 'never.ts'))).toBe(false);
  });
});

const slow = (source: string) => `import { z } from 'zod';
import { csv, jsonl, pipeline } from 'distilog';
export default pipeline('slow', ({ source }) => {
  source('rows', ${source}, { batchSize: 10 }).map('wait', {
    output: z.object({ twice: z.int() }),
    concurrency: 2,
    run: async ({ n }) => { await new Promise((done) => setTimeout(done, 15)); return { twice: 2 * n }; },
  });
});`;

/** The same, but that the step holds all rows from the 60th on until there is a file `go`. */
const held = (source: string) => `import { existsSync } from 'node:fs';
import { z } from 'zod';
import { jsonl, pipeline } from 'distilog';
const isHeld = () => !existsSync(new URL('./go', import.meta.url));
export default pipeline('held', ({ source }) => {
  source('rows', ${source}, { batchSize: 10 }).map('wait', {
    output: z.object({ twice: z.int() }),
    concurrency: 2,
    run: async ({ n }) => {
      while (n >= 60 && isHeld()) await new Promise((done) => setTimeout(done, 50));
      return { twice: 2 * n };
    },
  });
});`;

describe('a run over a file', () => {
  it('that was killed continues where it stopped, and is refused while the file has changed', async () => {
    // Far more rows than are read ahead of a step that is held.
    const lines = Array.from({ length: 1_000 }, (_, n) => `{"n":${n}}`);
    file('numbers.jsonl', lines.join('\n'));
    file('slow.ts', held(`jsonl('numbers.jsonl', { output: z.object({ n: z.int() }) })`));
    const first = start(['run', 'slow.ts'], { cwd });
    const ended = finished(first);
    for (let rows = 0; rows < 50; ) {
      await sleep(200);
      rows = (await distilog(['log', '--type', 'BatchSucceeded', '--step', 'wait'], { cwd })).stdout.trim().split('\n').length * 10;
    }
    killGroup(first);
    await ended;
    file('go', '');

    file('numbers.jsonl', lines.map((line, n) => (n === 900 ? '{"n":-1}' : line)).join('\n'));
    const refused = await distilog(['resume'], { cwd });
    expect(refused.code).toBe(4);
    expect(refused.stdout + refused.stderr).toMatch(/numbers\.jsonl, has changed since the run began: /);

    file('numbers.jsonl', lines.join('\n'));
    const resumed = await distilog(['resume'], { cwd });
    expect(resumed.code, resumed.stderr).toBe(0);
    const { configs } = await json<{ configs: { rows: number }[] }>(['distiset', '--out', 'numbers', '--format', 'jsonl'], { cwd });
    expect(configs[0]?.rows).toBe(1_000);
    expect(textIn('numbers/data/train-00000-of-00001.jsonl').trim().split('\n')).toEqual(
      lines.map((_, n) => `{"n":${n},"twice":${2 * n}}`),
    );
  });

  it('over an unreadable file pauses, names the cause, and continues when the file exists', async () => {
    file('missing.ts', slow(`csv('missing.csv', { output: z.object({ n: z.int() }) })`));
    const absent = await distilog(['run', 'missing.ts'], { cwd });
    expect(absent.stdout + absent.stderr).toMatch(/There is no file missing\.csv/);
    expect(absent.code).toBe(4);
    file('missing.csv', 'm\n1\n');
    const other = await distilog(['resume'], { cwd });
    expect(other.stdout + other.stderr).toMatch(/missing\.csv has no column n; it has m\./);
    expect(other.code).toBe(4);
    file('missing.csv', 'n\n1\n2\n');
    expect((await distilog(['resume'], { cwd })).code).toBe(0);
  });

  it('loses only the rows of broken lines, and names their places', async () => {
    file('broken.jsonl', '{"n":1}\n{"n":2\n\n{"n":"three"}\n{"n":4}\n');
    file('broken.ts', slow(`jsonl('broken.jsonl', { output: z.object({ n: z.int() }) })`));
    expect((await distilog(['run', 'broken.ts'], { cwd })).code).toBe(3);
    const { stdout } = await distilog(['errors', '--all'], { cwd });
    expect(stdout).toContain('broken.jsonl:2, column 7: expected "," or "}", got the end of the line.');
    expect(stdout).toContain('broken.jsonl:4: column n: expected number, got "three"');
  });
});

describe('docs/FILES.md', () => {
  const text = fs.readFileSync(new URL('../../docs/FILES.md', import.meta.url), 'utf8');
  const block = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';
  it('has a pipeline that runs, and commands that do what they say', async () => {
    const folder = await workFolder();
    fs.writeFileSync(path.join(folder, 'people.csv'), 'name,born,languages\nAda,1815,"[""English"",""French""]"\nBo,,[]\n');
    fs.writeFileSync(path.join(folder, 'pipeline.ts'), block('ts'));
    expect(await distilog(['run', 'pipeline.ts'], { cwd: folder })).toMatchObject({ code: 0 });
    expect((await distilog(['distiset'], { cwd: folder })).stdout).toContain('Hello Ada, in Engl');
    fs.rmSync(path.join(folder, 'pipeline.ts'));
    for (const line of block('sh').trim().split('\n')) {
      const [, , ...args] = line.replace(/\s+#.*$/, '').split(/\s+/);
      const { code, stderr } = await distilog(args, { cwd: folder });
      expect(code, `${line}: ${stderr}`).toBe(0);
    }
    expect(fs.readdirSync(path.join(folder, 'dataset/data'))).toEqual(['train-00000-of-00001.csv']);
  });
});
