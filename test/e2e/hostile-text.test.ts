// A store whose texts are those of an attacker: no command lets one act on the terminal that shows it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { thisActor } from '../../src/engine/index.ts';
import { newId } from '../../src/kit/ids.ts';
import { canonicalJson } from '../../src/kit/json.ts';
import { appendSideEvent } from '../../src/log/index.ts';
import { openStore, type PostgresStore } from '../../src/postgres/index.ts';
import { storeUrls } from './command-line.ts';
import { distilog, environmentIn, program, workFolder } from './command.ts';

/** Sets a window's title, clears the screen, fills the clipboard, goes a line up, in C0 and in C1; reverses what follows; hides; begins a line. */
const evil =
  '\x1b]0;owned\x07\x1b[2J\x1b]52;c;b3duZWQ=\x07\x1b[1A\x9d0;owned\x9c\x9b2J\x7f\b\x0e\u202e\u2066\u200b\u{e0041}\u2028\rX\nintact: FORGED';
/** The same for names, which have 64 characters. */
const name = '\x1b]0;o\x07\x9b2J\x7f\u202e\u200b\nintact: FORGED';

const cwd = await workFolder();
const source = `
import { z } from 'zod';
import { pipeline } from 'distilog';
const evil = ${JSON.stringify(evil)};
const name = ${JSON.stringify(name)};
export default pipeline('hostile', { params: z.object({ text: z.string().default(evil) }) }, ({ source }) => {
  const items = source('items', { output: z.object({ n: z.int(), [name]: z.string() }), rows: [0, 1, 2, 3].map((n) => ({ n, [name]: evil })) });
  items
    .map('answer', {
      output: z.object({ ['a' + name]: z.string() }),
      retry: { attempts: 1 },
      run: ({ n }, { log, usage }) => {
        log.info(evil, { [name]: evil });
        usage({ model: evil, inputTokens: 1, outputTokens: 1 });
        if (n === 1) throw Object.assign(new Error(evil), { code: evil });
        return { ['a' + name]: evil };
      },
    })
    .filter('kept', { keep: () => true });
});
`;

let runId = '';

beforeAll(async () => {
  fs.writeFileSync(path.join(cwd, 'pipeline.ts'), source);
  const ended = await distilog(['run', 'pipeline.ts'], { cwd });
  expect(ended.code, ended.stderr).toBe(3);
  outputs.push(['run', ended.stdout, ended.stderr]);
  [runId = ''] = ended.stdout.split('\n');
  const store = await openStore({ folder: cwd, store: storeUrls.get(cwd) });
  try {
    await forge(store);
  } finally {
    await store.close();
  }
});

/** What commands said, to be looked at. */
const outputs: [command: string, stdout: string, stderr: string][] = [];

/** Appends what a process with the program's login may: events of the side log, and a run, whose texts are all the attacker's. */
async function forge(store: PostgresStore): Promise<void> {
  const actor = { ...thisActor(), user: evil, host: evil };
  const asOf = { position: 1, recordedAt: evil, hash: evil };
  const configs = [{ name: evil, step: evil, rows: 1, rowsSha256: evil, files: [{ path: evil, rows: 1, sha256: evil }] }];
  await appendSideEvent(store.log, runId, { type: 'PauseRequested', data: { actor, message: evil } }, evil);
  await appendSideEvent(
    store.log,
    runId,
    { type: 'DistisetWritten', data: { asOf, directory: evil, format: evil, configs, actor } } as never,
    evil,
  );
  const whole = (await Array.fromAsync(store.log.read(runId))).flat();
  const [started] = whole;
  if (started?.type !== 'RunStarted') throw new Error('a run begins with RunStarted');
  const event = (type: string, data: object, level: object = {}) => ({
    type,
    version: 1,
    pass: null,
    step: null,
    batch: null,
    attempt: null,
    chunks: [],
    data: canonicalJson(data as never),
    ...level,
  });
  const create = (logId: string, events: readonly object[]) =>
    store.log.create({ logId, epoch: 1, appendId: newId(), expectedHash: null, writer: evil, events: events as never });
  const first = { ...started.data, file: evil, params: { [name]: evil }, program: { distilog: evil, node: evil }, actor };
  const batch = { pass: 1, step: 'items', batch: 0, attempt: 1 };
  const created = await create('forged-run', [
    event('RunStarted', first, { chunks: started.chunks }),
    event('RunPaused', { reason: 'asked', message: evil, step: evil, actor }),
    event(evil, { [name]: evil }, { step: evil, pass: 1 }),
    event('BatchStarted', { [name]: evil }, batch),
  ]);
  expect(created).toMatchObject({ ok: true });
  // A name that no pipeline may have, in the place where the list of runs looks for it.
  await create('forged-list', [
    event('RunStarted', { ...first, manifest: { ...first.manifest, pipeline: evil } }, { chunks: started.chunks }),
  ]);
}

const escape = '\x1b';

/** What acts or hides in what a command wrote, apart from line breaks and from our own styles. */
function leaks(bytes: string, isTerminal: boolean): readonly string[] {
  const own = isTerminal ? new RegExp(`${escape}\\[(?:0|1|2|22|31|32|33|36|39)m|\\r(?=\\n)`, 'g') : /(?!)/g;
  return bytes.replaceAll(own, '').match(/[^\n\t\P{Cc}]|[\p{Cs}\u200b\u2028\u202e\u2066\u{e0041}]/gu) ?? [];
}

/** Every command that reads, and those that refuse with the attacker's words. */
const commands = (): readonly (readonly string[])[] => [
  ['runs'],
  ['runs', '--pipeline', evil],
  ...[runId, 'forged-run'].flatMap((id) => [
    ['status', id],
    ['status', id, '--at', '2'],
    ['log', id],
    ['log', id, '--side'],
    ['errors', id],
    ['errors', id, '--all'],
    ['distiset', id],
    ['verify', id],
    ['rebuild', id, '--check'],
    ['rows', id, '--step', 'items'],
    ['trace', id, 'kept:0'],
    ['pause', id],
    ['cancel', id],
    ['resume', id],
    ['retry', id, 'pipeline.ts'],
  ]),
  ['status', 'forged-list'],
  ['log', 'forged-list'],
  ['resume', 'forged-run', 'pipeline.ts'],
  ['rows', runId, '--step', 'answer'],
  ['rows', runId, '--step', 'kept', '--follow'],
  ['history', 'hostile'],
  ['history', evil],
  ['sql', 'select data, type, step from history'],
  ['sql', 'select data::text from history'],
  ['sql', `select 1 as ${JSON.stringify(name)}, 2 as b`],
  ['sql', `select ${evil}`],
  ['try', 'pipeline.ts'],
  ['run', 'pipeline.ts', '--param', `${evil}=1`],
  ['run', 'pipeline.ts', '--seed', evil],
  ['run', 'pipeline.ts', '--concurrency', evil],
  ['run', evil],
  ['status', evil],
  ['rows', runId, '--step', evil],
  ['trace', runId, evil],
  ['log', '--type', evil],
  ['log', '--from', evil],
  ['distiset', '--format', evil],
  ['distiset', runId, '--out', `${evil}/out`],
  ['errors', '--export', `${evil}/out`],
  ['verify', '--distiset', evil],
  ['init', evil],
  ['init', 'hostile.csv', '--out', 'init.ts', '--force'],
  ['db', 'status'],
  ['db', 'migrate', '--dry-run'],
  ['db', 'status', '--store', `postgres://${encodeURIComponent(evil)}@localhost:1/x`],
  ['runs', '--store', evil],
  [evil],
  ['runs', `--${evil}`],
  ['--help'],
];

describe('a store whose every text is hostile', () => {
  it('controls no terminal through the output of any command', async () => {
    fs.writeFileSync(path.join(cwd, 'hostile.csv'), `n,"${name.replaceAll('\n', ' ')}"\n1,"${evil}"\n`);
    const left = [...commands()];
    const runAll = async () => {
      for (let args = left.shift(); args; args = left.shift()) {
        const { stdout, stderr } = await distilog(args, { cwd });
        outputs.push([args.join(' '), stdout, stderr]);
      }
    };
    await Promise.all(Array.from({ length: 4 }, runAll));
    for (const [command, stdout, stderr] of outputs) {
      expect(leaks(stdout, false), `stdout of ${visibleName(command)}: ${JSON.stringify(stdout)}`).toEqual([]);
      expect(leaks(stderr, false), `stderr of ${visibleName(command)}: ${JSON.stringify(stderr)}`).toEqual([]);
      // Forged lines: a document that sql shows as it is may have lines of its own.
      if (!command.startsWith('sql select data::text'))
        expect(`${stdout}\n${stderr}`, visibleName(command)).not.toMatch(/^intact: FORGED/m);
    }
    expect(outputs.filter(([, stdout, stderr]) => `${stdout}${stderr}`.includes('owned')).length).toBeGreaterThan(25);
  }, 600_000);
});

/** Runs the command line at a terminal of its own, and returns all that came to it. */
function atTerminal(args: readonly string[]): string {
  const words = [process.execPath, '--no-warnings', program, ...args];
  const command = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const { stdout } = spawnSync('script', ['-qec', `stty cols 120 rows 40; ${command}`, '/dev/null'], {
    cwd,
    encoding: 'utf8',
    env: {
      ...environmentIn(cwd),
      NO_COLOR: '',
      FORCE_COLOR: undefined,
      TERM: 'xterm',
    },
  });
  return stdout;
}
const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

describe.skipIf(!hasScript)(`at a terminal${hasScript ? '' : ' (skipped: there is no script of util-linux)'}`, () => {
  it.each([
    ['status'],
    ['log'],
    ['rows', '--step', 'answer'],
    ['trace', 'kept:0'],
    ['errors'],
    ['history', 'hostile'],
    ['distiset'],
    ['sql', 'select data, type from history'],
    ['rows', '--step', 'items', '--json'],
    ['log', '--json'],
    ['run', evil],
  ])('nothing but our own styles acts, in what %s says', (command, ...args) => {
    const ofRun = ['history', 'sql', 'run'].includes(command) ? [] : [runId];
    const shown = atTerminal([command, ...ofRun, ...args]);
    expect(shown).toContain('owned');
    expect(leaks(shown, true), JSON.stringify(shown)).toEqual([]);
    expect(shown).not.toMatch(/^intact: FORGED/m);
  });

  it('controls no terminal through live progress, except for moving the cursor over its own lines', () => {
    const shown = atTerminal(['run', 'pipeline.ts']);
    const moves = new RegExp(String.raw`${escape}\[(?:\?2026[hl]|\d*A|\d*B|2K|1?G|K)`, 'g');
    // The bar of a step is drawn in that place only.
    expect(shown).toMatch(/[█░]{6}/);
    expect(leaks(shown.replaceAll(moves, ''), true), JSON.stringify(shown)).toEqual([]);
  });
});

describe('JSON', () => {
  it('has rows, names and messages unchanged, to the byte', async () => {
    const { stdout } = await distilog(['rows', runId, '--step', 'answer', '--json'], { cwd });
    const rows = stdout.trimEnd().split('\n');
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      const { values } = JSON.parse(row) as { values: Record<string, string> };
      expect(values[name]).toBe(evil);
      expect(values[`a${name}`]).toBe(evil);
      expect(JSON.stringify(JSON.parse(row))).toBe(row);
    }
    const lost = JSON.parse((await distilog(['errors', runId, '--json'], { cwd })).stdout) as { rejected: { message: string }[] };
    expect(lost.rejected.map(({ message }) => message)).toEqual([evil]);
    const events = (await distilog(['log', runId, '--json'], { cwd })).stdout.trimEnd().split('\n');
    for (const event of events) expect(canonicalJson(JSON.parse(event) as never)).toBe(event);
  });

  it.skipIf(!hasScript)('has the same values at a terminal', () => {
    const rows = atTerminal(['rows', runId, '--step', 'answer', '--json']).trimEnd().split(/\r?\n/);
    expect(rows).toHaveLength(3);
    for (const row of rows) expect((JSON.parse(row) as { values: Record<string, string> }).values[name]).toBe(evil);
  });

  it('of an export is not escaped: rows are unchanged', async () => {
    expect(await distilog(['distiset', runId, '--out', 'exported', '--format', 'jsonl'], { cwd })).toMatchObject({ code: 0 });
    const [file = ''] = fs.globSync(path.join(cwd, 'exported/*/*.jsonl'));
    const [row = ''] = fs.readFileSync(file, 'utf8').split('\n');
    expect((JSON.parse(row) as Record<string, string>)[name]).toBe(evil);
  });
});

const visibleName = (command: string): string => JSON.stringify(command);
