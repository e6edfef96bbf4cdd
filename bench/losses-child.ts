// Runs one action on a run that rejects half of its rows: losses-child.ts ACTION URL RUN ROWS FOLDER. The store is migrated already.
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
import { printMeasurement } from './measured-process.ts';
import { quietContext } from './quiet-context.ts';

const [action = '', url = '', runId = '', rows = '', folder = ''] = process.argv.slice(2);

/** Actions by name. Each returns its number of output rows, or of printed lines. */
const actions: Readonly<Record<string, () => Promise<number>>> = {
  run: () => {
    const planned = plan(halfRejected(Number(rows), { isRepaired: false }));
    return driveTo((store) => startPipeline(store, planned, { runId, seed: 1, isRejectLimitLifted: true }), 'partial');
  },
  retry: () => {
    const planned = plan(halfRejected(Number(rows), { isRepaired: true }));
    return driveTo((store) => retryPipeline(store, planned, { runId, acceptedChanges: [], concurrency: {} }), 'succeeded');
  },
  'errors --all': () => printErrors('--all'),
  'errors --export': () => printErrors('--export', path.join(folder, 'lost.jsonl')),
  'export before': () => exportTo('before'),
  'export after': () => exportTo('after'),
};

async function driveTo(
  open: (store: Store) => Promise<{ readonly drive: () => Promise<{ readonly rest: string }> }>,
  expected: string,
): Promise<number> {
  const store = await openStore({ store: url, folder: '' });
  const { rest } = await (await open(store)).drive();
  await store.close();
  if (rest !== expected) throw new Error(`The run ended as ${rest}, not ${expected}.`);
  return Number(rows);
}

async function printErrors(...options: readonly string[]): Promise<number> {
  let lines = 0;
  const program = new Command();
  registerErrors(
    program,
    quietContext((more) => (lines += more)),
  );
  await program.parseAsync(['errors', runId, '--store', url, ...options], { from: 'user' });
  return lines;
}

async function exportTo(name: string): Promise<number> {
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
if (!work) throw new Error(`There is no action ${action}.`);
await printMeasurement(work);
