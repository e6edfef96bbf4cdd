import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dictionary, distilog, finished, json, start, workFolder, type Result } from './command.ts';

const cwd = await workFolder();
const head = `import { z } from 'zod';\nimport { NonRetryableError, pipeline } from 'distilog';\n`;
const file = (name: string, text: string) => fs.writeFileSync(path.join(cwd, name), head + text);
const linesOf = (text: string): readonly unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

interface Row {
  readonly id: string;
  readonly batch: number;
  readonly row: number;
  readonly values: Readonly<Record<string, string | number>>;
}

const rowsOf = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await distilog(['rows', ...args, '--json'], { cwd });
  expect(code, stderr).toBe(0);
  return stdout === '' ? [] : (linesOf(stdout) as readonly Row[]);
};

/** Waits until a command has printed something. */
const firstOutput = ({ stdout, stderr }: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    stdout?.once('data', () => resolve());
    stderr?.once('data', () => resolve());
  });

/** The run that most cases look at. */
let runId = '';

beforeAll(async () => {
  const { code, stdout, stderr } = await distilog(['run', dictionary, '--param', 'limit=250', '--seed', '7', '--json'], { cwd });
  expect([0, 3], stderr).toContain(code);
  runId = (linesOf(stdout) as readonly { runId: string }[])[0]?.runId ?? '';
  file(
    'slow.ts',
    `import { existsSync } from 'node:fs';
export default pipeline('slow', { params: z.object({ bias: z.int().default(0), until: z.string().default('') }) }, ({ source, params }) => {
  source('numbers', { output: z.object({ n: z.int() }), rows: Array.from({ length: 60 }, (_, n) => ({ n })), batchSize: 10 }).map('answer', {
    output: z.object({ out: z.string() }), concurrency: 1, captures: { bias: params.bias },
    run: async ({ n }, { usage }) => {
      // Held until there is a file of this name.
      while (n >= 20 && params.until && !existsSync(params.until)) await new Promise((resolve) => setTimeout(resolve, 20));
      usage({ model: 'm', inputTokens: 100, outputTokens: 10 });
      if (n === 13) throw new NonRetryableError('unlucky');
      return { out: 'answer ' + (n + params.bias) };
    },
  });
});`,
  );
});

describe('rows', () => {
  it('shows the rows of any step: the first ten, or those that options select', async () => {
    const first = await rowsOf(runId, '--step', 'question');
    expect(first).toHaveLength(10);
    expect(first.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, row) => `question:0/${row}`));
    expect(first[0]?.values).toMatchObject({ lemma: 'entity', instruction: 'Define the noun "entity".' });
    const last = await rowsOf(runId, '--step', 'entries', '--last', '120');
    expect(last.map(({ batch, row }) => batch * 100 + row)).toEqual(Array.from({ length: 120 }, (_, n) => 130 + n));
    const all = await rowsOf(runId, '--step', 'entries', '--first', '9999');
    expect(all).toHaveLength(250);
    expect(await rowsOf(runId, '--step', 'entries', '--last', '9999')).toEqual(all);
    expect(await rowsOf(runId, '--step', 'entries', '--random', '9999')).toEqual(all);
    const some = await rowsOf(runId, '--step', 'entries', '--random', '20');
    expect(new Set(some.map(({ id }) => id)).size).toBe(20);
    for (const row of some) expect(all).toContainEqual(row);
  });

  it('shows rows as of a position, whole as JSON and cut in a table', async () => {
    expect(await rowsOf(runId, '--step', 'short', '--at', '1')).toEqual([]);
    const { stdout } = await distilog(['rows', runId, '--step', 'short', '--last', '3'], { cwd });
    expect(stdout).toMatch(/^short {2}the last 3 of \d+ rows {2}of dictionary-\w+ as of position \d+/);
    expect(stdout.match(/^short:2\/\d+/gm)).toHaveLength(3);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  it('follows a run: existing rows, then each new row once, until the run is at rest', async () => {
    const child = start(['run', 'slow.ts', '--param', 'until=go', '--json'], { cwd });
    const ended = finished(child);
    const slow = await new Promise<string>((resolve) =>
      child.stdout?.once('data', (text: Buffer) => resolve((JSON.parse(String(text)) as { runId: string }).runId)),
    );
    const following = [
      ['rows', slow, '--step', 'answer', '--follow', '--last', '60', '--json'],
      ['rows', slow, '--step', 'answer', '--follow', '--last', '60'],
      ['status', slow, '--follow'],
      ['status', slow, '--follow', '--json'],
    ].map((args) => start(args, { cwd }));
    const results = Promise.all(following.map(finished));
    // The run is held until each of them has shown something of it.
    await Promise.race([results, Promise.all(following.map(firstOutput))]);
    fs.writeFileSync(path.join(cwd, 'go'), '');
    const [followed, shown, status, machine] = (await results) as [Result, Result, Result, Result];
    expect((await ended).code).toBe(3);
    expect([followed.code, shown.code, status.code, machine.code]).toEqual([3, 3, 3, 3]);
    const numbers = (linesOf(followed.stdout) as readonly Row[]).map(({ values }) => values['n']);
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, n) => n).filter((n) => n !== 13));
    expect(shown.stdout.match(/^answer:\d\/\d/gm)).toHaveLength(59);
    expect(shown.stdout.match(/^row /gm)).toHaveLength(1);
    // Lines while it moved, then the table; the tokens in both.
    expect(status.stderr).toMatch(/^slow-\w+ .* partial, position \d+: numbers 60, answer 60 \(1 rejected\); 6,600 tokens$/m);
    expect(status.stdout).toMatch(/^slow-\w+ {2}partial[\s\S]*tokens: 6,000 in, 600 out, in 60 calls/);
    const told = (linesOf(machine.stdout) as readonly { status: string }[]).map(({ status: each }) => each);
    expect(told.length).toBeGreaterThan(1);
    expect([told[0], told.at(-1)]).toEqual(['running', 'partial']);
    // What is at rest needs no following.
    expect(await distilog(['rows', slow, '--step', 'answer', '--follow', '--last', '2'], { cwd })).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/answer 58[\s\S]*answer 59/) as string,
    });
  });

  it('reports that no process drives the run that it follows', async () => {
    const own = await workFolder();
    fs.copyFileSync(path.join(cwd, 'slow.ts'), path.join(own, 'slow.ts'));
    const child = start(['run', 'slow.ts', '--param', 'until=never', '--json'], { cwd: own });
    const ended = finished(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGKILL');
    await ended;
    const { code, stdout } = await distilog(['status', '--follow'], { cwd: own });
    expect(code).toBe(1);
    expect(stdout).toMatch(/interrupted since .*run: distilog resume/);
  });
});

describe('history', () => {
  it('shows all runs of a pipeline: who did what, what changed since the previous run, what was exported', async () => {
    const text = fs.readFileSync(path.join(cwd, 'slow.ts'), 'utf8').replace("pipeline('slow'", "pipeline('trail'");
    fs.writeFileSync(path.join(cwd, 'trail.ts'), text);
    await distilog(['run', 'trail.ts'], { cwd });
    await distilog(['distiset', '--out', 'exported'], { cwd });
    fs.writeFileSync(path.join(cwd, 'trail.ts'), text.replace("'answer ' +", "'the answer ' +"));
    await distilog(['run', 'trail.ts', '--param', 'bias=1'], { cwd });
    interface Told {
      readonly runs: readonly {
        readonly status: string;
        readonly changes: Readonly<Record<'since' | 'steps' | 'files' | 'params', unknown>>;
        readonly entries: readonly { readonly type: string; readonly who: string | null; readonly what: string }[];
      }[];
    }
    const { runs } = await json<Told>(['history', 'trail'], { cwd });
    expect(runs.map(({ status }) => status)).toEqual(['partial', 'partial']);
    expect(runs[0]?.changes).toEqual({ since: null, steps: [], files: [], params: [] });
    expect(runs[0]?.entries.map(({ type }) => type)).toEqual(['RunStarted', 'RunFinished', 'DistisetWritten']);
    expect(runs[0]?.entries[0]?.who).toMatch(/^.+@.+:\d+$/);
    expect(runs[0]?.entries[2]?.what).toMatch(/^as of \d+ to .*exported: default 59 rows$/);
    expect(runs[1]?.changes).toMatchObject({
      steps: [{ step: 'answer', kind: 'changed', parts: ['code', 'captures'] }],
      files: ['trail.ts'],
      params: ['bias'],
    });
    const { stdout } = await distilog(['history', 'trail'], { cwd });
    expect(stdout).toMatch(/^trail {2}2 runs, oldest first\n\ntrail-\w+ {2}partial\n {2}[\d-]+ [\d:]+ {2}started /);
    expect(stdout).toMatch(/changed since trail-\w+:\n {2}- answer: code, captures changed\n {2}- files: trail\.ts\n {2}- params: bias/);
  });
});

describe('sql', () => {
  it('runs a statement once, even if it crashes its server process', async () => {
    const served = async () =>
      Number(
        (await distilog(['sql', 'select sum(sessions_killed) as n from pg_stat_database', '--json'], { cwd })).stdout.match(/\d+/)?.[0],
      );
    const before = await served();
    const { code, stderr } = await distilog(['sql', 'select pg_terminate_backend(pg_backend_pid())'], { cwd });
    expect([code, stderr]).toEqual([1, expect.stringContaining('terminating connection')]);
    expect((await served()) - before).toBe(1);
  });

  it('selects from the tables and views of the store', async () => {
    const { code, stdout } = await distilog(
      ['sql', `select type, count(*) from history where log_id = '${runId}' and step = 'short' group by type order by type`],
      { cwd },
    );
    expect([code, stdout]).toEqual([
      0,
      'type            count\nBatchStarted        3\nBatchSucceeded      3\nStepFinished        1\nStepStarted         1\n',
    ]);
    const rows = await distilog(
      [
        'sql',
        `select position, data->'outcome' as outcome, null as n, true as yes, 1.50 as dec, 1 as n from history where type = 'RunFinished' and log_id = '${runId}';`,
        '--json',
      ],
      { cwd },
    );
    expect(linesOf(rows.stdout)).toEqual([
      { position: expect.any(Number) as number, outcome: expect.any(String) as string, n: null, yes: true, dec: '1.50', n_2: 1 },
    ]);
  });

  it('shows the requested number of rows, reports that there are more, and shows a plan uncut', async () => {
    const { stdout, stderr } = await distilog(['sql', 'select n, n * n as square from generate_series(1, 100000) as n', '--rows', '3'], {
      cwd,
    });
    expect(stdout).toBe('n  square\n1       1\n2       4\n3       9\n');
    expect(stderr).toContain('more than these 3 rows');
    expect((await distilog(['sql', 'explain select * from events order by data'], { cwd })).stdout).toMatch(
      /^QUERY PLAN\nSort .*\n {2}Sort Key/,
    );
    expect((await distilog(['sql', 'select * from heads where false'], { cwd })).stdout).toContain('no rows');
  });

  const count = async () => (await distilog(['sql', 'select count(*) from events, snapshots'], { cwd })).stdout;
  let before = '';
  beforeAll(async () => {
    before = await count();
  });
  afterAll(async () => {
    expect(await count()).toBe(before);
  });

  it.concurrent.each([
    ['delete from events', /begins with delete.*sql only reads/],
    ['/* a */ -- b\n  ( insert into events default values', /begins with insert/],
    ['select 1; delete from events', /is more than one statement/],
    ['select 1; commit; delete from snapshots', /is more than one statement/],
    ['with gone as (delete from snapshots returning *) select * from gone', /has a part that changes rows/],
    ['explain analyze delete from snapshots', /changes something|cannot execute/],
    [`select setval('x', 1)`, /relation "x" does not exist \(line 1, column 15\)/],
    ['', /is empty/],
    ['commit', /begins with commit/],
    ['copy events to stdout', /begins with copy/],
    ['select stp\n  from events', /column "stp" does not exist \(line 1, column 8\)\n {2}select stp\n {9}\^/],
    [`select 'ä€😀', stp\n  from events`, /\(line 1, column 15\)\n.*\n {16}\^/],
    ['select *\nform events', /\(line 2, column 1\)\n {2}form events\n {2}\^/],
    ['select 1 / 0', /division by zero/],
  ])('refuses %s', async (statement, says) => {
    const { code, stderr } = await distilog(['sql', statement], { cwd });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });
});

describe('errors --export', () => {
  it('writes the inputs of lost rows with their causes, and overwrites nothing', async () => {
    file(
      'lossy.ts',
      `export default pipeline('lossy', ({ source }) => {
  const numbers = source('numbers', { output: z.object({ n: z.int() }), rows: [{ n: 1 }, { n: 'two' }, { n: 3 }, { n: 4 }] as never });
  const fails = (n: number) => { throw new NonRetryableError('no answer to ' + n); };
  numbers.map('rejects', { output: z.object({ out: z.int() }), run: ({ n }) => (n === 3 ? fails(n) : { out: n }) });
  numbers.map('breaks', { output: z.object({ out: z.int() }), onError: 'fail', run: ({ n }) => (n === 4 ? fails(n) : { out: n }) });
});`,
    );
    const ran = await json<{ runId: string }>(['run', 'lossy.ts'], { cwd });
    const written = await distilog(['errors', ran.runId, '--export', 'lost.jsonl'], { cwd });
    expect(written).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^5 lost rows of lossy-\w+, each with its cause, written to lost\.jsonl/) as string,
    });
    const text = fs.readFileSync(path.join(cwd, 'lost.jsonl'), 'utf8');
    const lost = linesOf(text) as readonly { step: string; row: number; cause: { code: string }; input: unknown }[];
    expect(
      lost
        .map(({ step, row, cause: { code }, input }) => [step, row, code, input])
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    ).toEqual([
      ['breaks', 0, 'non-retryable', { n: 1 }],
      ['breaks', 1, 'non-retryable', { n: 3 }],
      ['breaks', 2, 'non-retryable', { n: 4 }],
      ['numbers', 1, 'invalid-output', null],
      ['rejects', 1, 'non-retryable', { n: 3 }],
    ]);
    expect(await distilog(['errors', ran.runId, '--export', 'lost.jsonl'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/lost\.jsonl exists already and was not overwritten/) as string,
    });
    expect(fs.readFileSync(path.join(cwd, 'lost.jsonl'), 'utf8')).toBe(text);
    expect(fs.readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const early = await json<{ rows: number }>(['errors', ran.runId, '--at', '1', '--export', 'none.jsonl'], { cwd });
    expect([early.rows, fs.readFileSync(path.join(cwd, 'none.jsonl'), 'utf8')]).toEqual([0, '']);
  });
});

describe('try', () => {
  it('shows the first rows after every step and the rejected rows, and stores nothing', async () => {
    const own = await workFolder();
    fs.copyFileSync(path.join(cwd, 'slow.ts'), path.join(own, 'slow.ts'));
    const { code, stdout } = await distilog(['try', 'slow.ts'], { cwd: own });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^slow {2}the first 3 rows; nothing is stored\n\nnumbers {2}source {2}3 rows\nn\n0\n1\n2\n\nanswer {2}map of numbers {2}3 rows\nout\s+n\nanswer 0 {2}0\n/,
    );
    const tried = await distilog(['try', 'slow.ts', '--rows', '14', '--param', 'bias=5', '--json'], { cwd: own });
    expect(tried.code).toBe(3);
    interface Tried {
      readonly outcome: string;
      readonly usage: { readonly calls: number };
      readonly steps: readonly { readonly name: string; readonly rows: readonly unknown[]; readonly rejected: readonly unknown[] }[];
    }
    const [{ outcome, usage, steps } = { outcome: '', usage: { calls: 0 }, steps: [] }] = linesOf(tried.stdout) as readonly Tried[];
    expect([outcome, usage.calls, steps.map(({ rows }) => rows.length)]).toEqual(['partial', 14, [14, 13]]);
    expect(steps[1]?.rows[0]).toEqual({ n: 0, out: 'answer 5' });
    expect(steps[1]?.rejected).toEqual([{ row: 3, code: 'non-retryable', message: 'unlucky', attempts: 1, input: { n: 13 } }]);
    expect(fs.existsSync(path.join(own, '.distilog'))).toBe(false);
  });
});

/** Wrong input: what is run, and what the sentence must say. */
const cases: readonly (readonly [readonly string[], RegExp])[] = [
  [['rows'], /No step is named\. Add --step NAME\. Steps of run \w+-\w+: /],
  [['rows', 'dictionary', '--step', 'nope'], /has no step nope. Its steps: entries, question, answer, short, long/],
  [['rows', 'nope', '--step', 'short'], /No run in this store has the id nope/],
  [['rows', '--step', 'short', '--last', '1', '--random', '2'], /--last and --random exclude each other/],
  [['rows', '--step', 'short', '--first', 'many'], /--first many is not a number from 1/],
  [['rows', '--step', 'short', '--last', '0'], /--last 0 is not a number from 1/],
  [['rows', '--step', 'short', '--follow', '--at', '3'], /--at shows the past and --follow new rows/],
  [['rows', '--step', 'short', '--follow', '--random', '3'], /excludes --random/],
  [['rows', 'dictionary', '--step', 'short', '--at', '999999'], /has no position 999999/],
  [['history'], /missing required argument 'pipeline'/],
  [['history', 'nope'], /named nope\. Pipelines with runs: .*dictionary/],
  [['sql'], /missing required argument 'statement'/],
  [['sql', 'select 1', '--rows', '-1'], /--rows -1 is not a number from 1/],
  [['errors', '--export', 'no/such/lost.jsonl'], /no\/such does not exist\. Give another --export/],
  [['errors', '--export', '.'], /\. is a folder\. Give another --export/],
  [['status', '--follow', '--at', '3'], /--at shows the past and --follow live progress/],
  [['try', 'not-there.ts'], /no file not-there\.ts/],
  [['try', 'slow.ts', '--rows', 'x'], /--rows x is not a number from 1/],
  [['try', 'slow.ts', '--param', 'bias=x'], /Param bias/],
];

describe('wrong input', () => {
  it.concurrent.each(cases)('%j is answered with a sentence and exit code 2', async (args, says) => {
    const { code, stderr } = await distilog(args, { cwd });
    expect(stderr).toMatch(says);
    expect(stderr, 'no bare stack').not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });
});
