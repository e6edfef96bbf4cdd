import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isNightly } from '../fixtures/slice.ts';
import { startLlmServer, type LlmServer } from '../llm-server/server.ts';
import { distilog, finished, start, embeddedFolder } from './command.ts';
import { commandLines, document, root, type CommandLine } from './document.ts';

const guide = document('docs/GUIDE.md');
const cwd = embeddedFolder();
let server: LlmServer;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startLlmServer({
    // One of the questions has a better and a worse answer; what else is asked is answered at random.
    answer: ({ request: { messages } }) => {
      const asked = messages.at(-1)?.content ?? '';
      if (!/sea salty[\s\S]*Give 2 verdicts/.test(asked)) return undefined;
      return JSON.stringify({ verdicts: [5, 2].map((rating) => ({ rationale: 'So it is.', rating })) });
    },
  });
  env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'none' };
  for (const file of ['instruct.ts', 'preference.ts', 'own-file.ts', 'own-file.csv'])
    fs.copyFileSync(path.join(root, 'examples', file), path.join(cwd, file));
});
afterAll(() => server.close());

/** The columns of the table of operators. */
const operators = [...guide.text.matchAll(/^\| `(\w+)` \| `(\w+(?:\.\w+)?\(.*\))` \| .* \|$/gm)].map(([, operator = '', example = '']) => ({
  operator,
  example,
}));

describe('the page for users of Distilabel', () => {
  it('has a pipeline that runs and gives the rows that the page shows', async () => {
    const page = document('docs/FROM-DISTILABEL.md');
    page.of('ts').forEach(writeBlock);
    for (const block of page.of('sh')) await runLines(commandLines(block));
    const pairs = await select("select * from 'pairs/data/*.parquet' order by prompt desc");
    expect(pairs[0]).toMatchObject({ prompt: 'Why is the sea salty?', chosen_model: 'gpt-4o-mini', rejected_model: 'gpt-4.1-nano' });
  });
});

describe('the guide', () => {
  it('has blocks that work from an empty folder, in their order', async () => {
    expect(guide.all.length).toBeGreaterThan(15);
    for (const { language, text } of guide.all) {
      if (language === 'sh') await runLines(commandLines(text));
      else if (language === 'sql') expect((await select(text)).length).toBeGreaterThan(0);
      else if (language === 'python') runPython(text);
      else writeBlock(text);
    }
    // What its remarks promise.
    expect(fs.readdirSync(path.join(cwd, 'instruct')).sort()).toEqual(['README.md', 'distilog.json', 'quality-good', 'quality-poor']);
    expect(fs.readFileSync(path.join(cwd, 'lost.jsonl'), 'utf8')).toContain('review 4 has no text');
    const [early, again] = ['early', 'early-again'].map((name) =>
      fs.readFileSync(path.join(cwd, name, 'data/train-00000-of-00001.parquet')),
    );
    expect(again).toEqual(early);
    expect(await select("select sum(words)::int as words from 'dataset/data/*.parquet'")).toEqual([{ words: 55 }]);
    expect(fs.readdirSync(path.join(cwd, 'labelled/data'))).toEqual(['train-00000-of-00001.csv']);
  }, 400_000);

  it('has pipelines and tests that compile, including the lines in the table of operators', async () => {
    const folder = fs.mkdtempSync(path.join(root, 'test/e2e/.guide-'));
    try {
      for (const text of guide.of('ts'))
        if (fileName(text)) fs.writeFileSync(path.join(folder, fileName(text) as string), withOperators(text));
      fs.writeFileSync(
        path.join(folder, 'tsconfig.json'),
        JSON.stringify({ extends: '../../../tsconfig.json', compilerOptions: { rootDir: '../../..' }, include: ['*.ts'] }),
      );
      expect(
        spawnSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' }).stdout,
      ).toBe('');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
    // And the lines run: each operator's step has rows, or says that it has none.
    const { code, stdout } = await distilog(['try', 'operators.ts', '--json'], { cwd });
    expect(code, stdout).toBe(0);
    const names = operators.map(({ operator }) => operator);
    expect(names).toEqual('map mapBatch flatMap replace filter nonNull route select drop rename batch global join union'.split(' '));
    for (const { example } of operators) expect(stdout).toContain(`"${/'([\w]+)'/.exec(example)?.[1]}`);
  });
});

/** The file that a block is, as its first line says. */
const fileName = (text: string): string | undefined => /^(?:\/\/|#) (\S+)\n/.exec(text)?.[1];

const withOperators = (text: string): string =>
  text.replace(/^ *\/\/ … the lines of the table$/m, operators.map(({ example }) => `  ${example};`).join('\n'));

/** Writes a block's file, or puts its line in the place of another in a file. */
function writeBlock(text: string): void {
  const [first = '', ...lines] = text.split('\n');
  const name = fileName(text);
  if (name?.endsWith('.csv')) fs.writeFileSync(path.join(cwd, name), lines.join('\n'));
  else if (name) fs.writeFileSync(path.join(cwd, name), withOperators(text));
  else {
    const [, file = '', old = ''] = /^\/\/ (\S+), in place of the line with `(.*)`$/.exec(first) ?? [];
    const before = fs.readFileSync(path.join(cwd, file), 'utf8');
    const after = before.replace(/^.*$/gm, (line) => (line.includes(old) ? lines.join('\n').trimEnd() : line));
    expect(after).not.toBe(before);
    fs.writeFileSync(path.join(cwd, file), after);
  }
}

/** A module that holds the guide's step, which takes half a second, from its third row on: a run that is to be killed must not end before. */
const holding = path.join(cwd, 'holding.mjs');
fs.writeFileSync(
  holding,
  `import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
const { setTimeout: sleep } = timers;
let calls = 0;
if (process.argv.includes('run')) timers.setTimeout = (ms, ...rest) => sleep(ms === 500 && ++calls > 2 ? 3_600_000 : ms, ...rest);
syncBuiltinESMExports();
`,
);

/** Runs a block's commands: those in a second terminal concurrently with the one before, those that are to be killed for a while. */
async function runLines(lines: readonly CommandLine[]): Promise<void> {
  for (let at = 0; at < lines.length; at++) {
    const one = lines[at] as CommandLine;
    const [program, name, ...args] = one.words;
    // What installs the package and what the environment holds is another test's, and this one's own.
    if (program === 'npm' || program === 'export') continue;
    if (program === 'node') {
      runTests(one.words.slice(1));
      continue;
    }
    expect([program, name], one.line).toEqual(['npx', 'distilog']);
    const beside = lines[at + 1]?.remark.includes('second terminal') ? lines[++at] : undefined;
    const isKilled = one.remark.includes('kill it');
    const child = start(args, { cwd, env: { ...env, ...(isKilled && { NODE_OPTIONS: `--import ${holding}` }) } });
    const ended = finished(child);
    if (beside || isKilled) await new Promise((resolve) => child.stdout?.once('data', resolve));
    if (isKilled) {
      await sleep(1_200);
      child.kill('SIGKILL');
      await ended;
      continue;
    }
    const followed = beside && (await distilog(beside.words.slice(2), { cwd, env }));
    const { code, stderr, stdout } = await ended;
    expect(code, `${one.line}: ${stdout}${stderr}`).toBe(one.code);
    if (!beside || !followed) continue;
    expect(followed.code, `${beside.line}: ${followed.stderr}`).toBe(beside.code);
    expect(followed.stdout.match(/^read:\d\/\d/gm)).toHaveLength(7);
  }
}

function runTests(args: readonly string[]): void {
  const { status, stdout } = spawnSync(process.execPath, ['--no-warnings', ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
  });
  expect(status, stdout).toBe(0);
  expect(stdout).toMatch(/pass 1\b/);
}

async function select(statement: string): Promise<readonly unknown[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(statement.replaceAll(/from '/g, `from '${cwd}/`));
  const rows = reader.getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

/** Runs a block of Python at night, where its libraries are. */
function runPython(text: string): void {
  if (!isNightly) return;
  if (spawnSync('python3', ['-c', 'import datasets, pandas'], { cwd }).status !== 0) return;
  const { status, stderr } = spawnSync('python3', ['-c', text], { cwd, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}
