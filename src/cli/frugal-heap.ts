import fs from 'node:fs';

/**
 * How V8 shapes a command's heap. By itself it lets garbage pile up for as long as the machine has memory: a run then takes half as much again as it needs,
 * and more the longer it lasts. A small young generation, and an old one that is collected when it has doubled, keep memory flat and cost next to no time. An
 * export may ask for a collection itself, see `garbageCollector`. There is still no limit: what a pipeline holds on to may be as large as ever.
 */
export const frugalHeap = (command = ''): readonly string[] => [
  '--max-semi-space-size=8',
  '--heap-growing-percent=100',
  ...(command === 'distiset' || command === 'verify' ? ['--expose-gc'] : []),
];

/** UTF-16 code units of rows, as canonical JSON, from one collection to the next. */
const collectedLength = 8 * 1024 * 1024;

/**
 * Collects garbage between blocks of rows, whenever some megabytes of them were written; does nothing where V8 was not asked to allow that. Little lives there,
 * so that it takes 20 ms. Where V8 collects by itself, in the midst of a row group, it takes much of what is about to die for what stays, and lets the
 * heap grow by as much again.
 */
export function garbageCollector(): (length: number) => void {
  let written = 0;
  return (length) => {
    written += length;
    if (written < collectedLength) return;
    written = 0;
    globalThis.gc?.();
  };
}

const mark = 'DISTILOG_HEAP';

/**
 * Starts this process anew, under the same id, with its command's `frugalHeap`: a heap's shape is settled before any of our code runs. Leaves it as it is
 * where the platform cannot do that, where somebody chose flags of their own, or where a parent talks to this process.
 */
export function becomeFrugal(): void {
  const isChosen = process.execArgv
    .concat((process.env['NODE_OPTIONS'] ?? '').split(' '))
    .some((flag) => /semi-space|heap-growing/.test(flag));
  const isDone = process.env[mark] === String(process.pid);
  const [, script, command] = process.argv;
  if (isChosen || isDone || process.send || !process.execve || script === undefined || !fs.existsSync(process.execPath)) return;
  process.execve(process.execPath, [process.execPath, ...frugalHeap(command), ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    [mark]: String(process.pid),
  });
}
