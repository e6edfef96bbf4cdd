// Random words for every command of the catalogue, in this process.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { CommanderError, type Command } from 'commander';
import { messageOf } from '../../src/kit/fault.ts';
import { runLogId, sideLogId, verify } from '../../src/log/index.ts';
import { openStore, stopEmbeddedStore } from '../../src/postgres/index.ts';
import { createCommandLine } from '../../src/cli/command-line.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { randomFrom } from '../unit/random.ts';
import { assertFault } from './mutate.ts';

type Random = ReturnType<typeof randomFrom>;

/** Commands that do not end, or that act on the server of all others. */
const leftOut = new Set(['start', 'stop', 'migrate', 'url', 'help']);
const lasting = new Set(['--follow', '--store']);

const words = [
  '',
  '0',
  '-1',
  '1',
  '3',
  '1e9',
  '99999999999999999999',
  'NaN',
  'head',
  '5m',
  '2026-13-45',
  '2999-01-01',
  '..',
  '../..',
  '/',
  'all',
  'twice',
];
const more = [
  'twice=1',
  'n=1',
  'x/y',
  'all:0',
  'all:0/1',
  'twice:-1',
  '-',
  '--',
  '"',
  "'; drop table events; --",
  '%',
  '{}',
  '[1',
  'ünï',
  'good',
  'select 1',
];
const files = [
  'good.ts',
  'garbage.bin',
  'rows.csv',
  'no/such/file',
  'out',
  'out/data',
  'lost.jsonl',
  'x'.repeat(300),
  'BatchSucceeded',
  'jsonl',
  'finished',
  '\ud800',
];

function wordsFor(command: Command, random: Random): readonly string[] {
  const word = () => random.pick([...words, ...more, ...files]);
  const options = command.options
    .filter(({ long }) => !lasting.has(long ?? '') && random.chance(0.25))
    .flatMap(({ long, required, argChoices }) => [
      long ?? '',
      ...(required ? [argChoices && random.chance(0.8) ? random.pick(argChoices) : word()] : []),
    ]);
  const args = command.registeredArguments.flatMap(({ required }) => (required || random.chance(0.4) ? [word()] : []));
  const all = random.chance(0.5) ? [...options, ...args] : [...args, ...options];
  return random.chance(0.1) ? [...all, word()] : all;
}

/** Runs commands with random options and values in a folder with a store of its own. Returns how many did something. */
export async function fuzzCommands(seed: number, count: number, folder: string): Promise<string> {
  const random = randomFrom(seed);
  const before = process.cwd();
  const said: string[] = [];
  const write = (text: string | readonly string[]) => void said.push(...[text].flat());
  const terminal: Terminal = {
    print: write,
    printText: write,
    printJson: (value, stringify = JSON.stringify) => write(stringify(value)),
    printJsonLists: async (members, lists) => {
      write(JSON.stringify(members));
      for (const items of Object.values(lists)) for await (const item of items) write(JSON.stringify(item));
    },
    note: write,
    openRegion: () => ({ draw: write, clear: () => undefined, done: () => undefined }),
    isInteractive: false,
    width: 80,
    paint: (_style, text) => text,
  };
  const root = () =>
    createCommandLine({ terminal, exit: () => undefined, onInterrupt: () => undefined, goOnWithoutOutput: () => undefined });
  const catalogue = root().commands.flatMap((command) =>
    command.commands.length > 0 ? command.commands.map((sub) => [command.name(), sub] as const) : [['', command] as const],
  );
  const choices = catalogue.filter(([, command]) => !leftOut.has(command.name()));
  process.chdir(folder);
  try {
    fs.writeFileSync('garbage.bin', Buffer.from(Array.from({ length: 500 }, () => random.below(256))));
    fs.writeFileSync('rows.csv', 'a,b\n1,2\n');
    fs.writeFileSync('good.ts', goodPipeline);
    await root().parseAsync(['run', 'good.ts'], { from: 'user' });
    let done = 0;
    for (let each = 0; each < count; each++) {
      const [group, command] = random.pick(choices);
      const args = [...(group === '' ? [] : [group]), command.name(), ...wordsFor(command, random)];
      said.length = 0;
      try {
        await root().parseAsync(args, { from: 'user' });
        done++;
      } catch (error) {
        if (!(error instanceof CommanderError)) assertFault(error, args.join(' '));
      }
      const stack = said.find((line) => /\n\s+at .*:\d+:\d+/.test(line) || /is a bug in distilog/.test(line));
      assert(stack === undefined, `distilog ${args.join(' ')} said: ${stack}`);
      assertNothingHalf(args);
    }
    await assertWhole(folder);
    return `${count} (${done} done)`;
  } catch (error) {
    throw new Error(`seed ${seed}: ${messageOf(error)}`, { cause: error });
  } finally {
    await stopEmbeddedStore(folder, { force: true });
    process.chdir(before);
  }
}

const goodPipeline = `import { z } from 'zod';
import { pipeline } from 'distilog';
export default pipeline('good', { params: z.object({ n: z.int().default(3) }) }, ({ source, params }) => {
  source('all', { output: z.object({ n: z.int() }), rows: Array.from({ length: params.n }, (_, n) => ({ n })) })
    .map('twice', { retry: { attempts: 1 }, output: z.object({ twice: z.int() }), run: ({ n }) => { if (n === 1) throw new Error('one'); return { twice: 2 * n }; } });
});
`;

/** Asserts that every written file is complete. */
function assertNothingHalf(args: readonly string[]): void {
  for (const entry of fs.readdirSync('.', { withFileTypes: true })) {
    assert(!entry.name.endsWith('.tmp'), `distilog ${args.join(' ')} left ${entry.name}`);
    if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const isWhole = ['README.md', 'distilog.json'].every((file) => fs.existsSync(path.join(entry.name, file)));
    assert(isWhole, `distilog ${args.join(' ')} left half of ${entry.name}`);
  }
}

async function assertWhole(folder: string): Promise<void> {
  const store = await openStore({ folder, environment: {} });
  for await (const page of store.log.runs())
    for (const { runId } of page)
      for (const logId of [runLogId(runId), sideLogId(runId)]) assert((await verify(store, logId)).ok, `${logId} was changed`);
  await store.close();
}
