import fs from 'node:fs';

/** Commands that move a run: rows come and go there, and little of what there is stays. */
const moving: ReadonlySet<string> = new Set(['run', 'resume', 'retry']);

/**
 * How V8 shapes a command's heap. By itself it lets garbage pile up for as long as the machine has memory: a run then takes half as much again as it needs,
 * and more the longer it lasts. A small young generation, and an old one that is collected when it has doubled, keep a run's memory flat and cost next to no
 * time. An export holds more, and its memory would grow by a quarter on the way: it is collected when it has grown by a quarter, for a tenth more time. There
 * is still no limit: what a pipeline holds on to may be as large as ever.
 */
export const frugalHeap = (command = ''): readonly string[] => [
  '--max-semi-space-size=8',
  `--heap-growing-percent=${moving.has(command) ? 100 : 25}`,
];

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
