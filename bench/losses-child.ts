// Does one thing with a run that rejects half of its rows: losses-child.ts ACTION URL RUN ROWS FOLDER. The store is migrated already.
import path from 'node:path';
import { Command } from 'commander';
import { registerErrors } from '../src/cli/commands/errors.ts';
import { createGarbageCollector } from '../src/cli/frugal-heap.ts';
import { createDistiset, writeDistiset } from '../src/distiset/index.ts';
import { retryPipeline, startPipeline } from '../src/engine/index.ts';
import { resolveAsOf, runLogId, type Store } from '../src/log/index.ts';
import { plan } from '../src/pipeline/index.ts';
import { openStore } from '../src/postgres/index.ts';
import { halfRejected } from './half-rejected.ts';
import { tell } from './measured-process.ts';
import { quietContext } from './quiet-context.ts';

const [action = '', url = '', runId = '', rows = '', folder = ''] = process.argv.slice(2);

/** Each returns how many rows came out, or lines of text. */
const actions: Readonly<Record<string, () => Promise<number>>> = {
  run: () => {
    const planned = plan(halfRejected(Number(rows), { isMended: false }));
    return driven((store) => startPipeline(store, planned, { runId, seed: 1, isRejectLimitLifted: true }), 'partial');
  },
  retry: () => {
    const planned = plan(halfRejected(Number(rows), { isMended: true }));
    return driven((store) => retryPipeline(store, planned, { runId, acceptedChanges: [], concurrency: {} }), 'succeeded');
  },
  'errors --all': () => printed('--all'),
  'errors --export': () => printed('--export', path.join(folder, 'lost.jsonl')),
  'export before': () => exported('before'),
  'export after': () => exported('after'),
};

async function driven(
  begin: (store: Store) => Promise<{ readonly drive: () => Promise<{ readonly rest: string }> }>,
  wanted: string,
): Promise<number> {
  const store = await openStore({ store: url, folder: '' });
  const { rest } = await (await begin(store)).drive();
  await store.close();
  if (rest !== wanted) throw new Error(`the run ${rest}`);
  return Number(rows);
}

async function printed(...options: readonly string[]): Promise<number> {
  let lines = 0;
  const program = new Command();
  registerErrors(
    program,
    quietContext((more) => (lines += more)),
  );
  await program.parseAsync(['errors', runId, '--store', url, ...options], { from: 'user' });
  return lines;
}

async function exported(name: string): Promise<number> {
  const store = await openStore({ store: url, folder: '' });
  const asOf = await resolveAsOf(store.log, runLogId(runId), { kind: 'head' });
  const { metadata } = await writeDistiset(await createDistiset(store, runId, { asOf }), {
    directory: path.join(folder, name),
    onWritten: createGarbageCollector(),
    distilog: 'bench',
  });
  await store.close();
  return metadata.configs.reduce((sum, config) => sum + config.rows, 0);
}

const work = actions[action];
if (!work) throw new Error(`there is no action ${action}`);
await tell(work);
