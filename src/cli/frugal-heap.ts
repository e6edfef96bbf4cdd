import fs from 'node:fs';

/**
 * Returns the flags of V8 that keep a command's memory flat: a young generation of 8 MB, and an old one that is collected when it has doubled. V8 alone lets
 * garbage grow with the machine's memory: a run of a million rows then peaks at 252 MB instead of 183, and more the longer it lasts, for 4.5 s instead of
 * 4.9. The flags set no limit. An export may ask for a collection itself, see `garbageCollector`.
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
 * Replaces this process by itself, under the same id, with the `frugalHeap` of its command. V8 reads these flags before any code runs, so no option of a
 * command could set them. Any flag of the same kind, in NODE_OPTIONS or on Node's command line, turns this off. Does nothing where the platform has no
 * `execve`, or where a parent process has a channel to this one.
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
