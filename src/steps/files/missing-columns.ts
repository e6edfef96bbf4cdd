import { Fault } from '../../kit/fault.ts';
import type { Columns } from '../../pipeline/index.ts';
import { accepts } from './fitting.ts';

/** Names that a message shows. */
const shownMax = 30;

/** Refuses a file that lacks a declared column, unless that has a default. */
export function refuseMissing(name: string, has: readonly string[], output: Columns, hint = ''): void {
  const missing = Object.entries(output.shape)
    .filter(([column, type]) => !has.includes(column) && !accepts(type, undefined))
    .map(([column]) => column);
  const twice = Object.keys(output.shape).find((column) => has.indexOf(column) !== has.lastIndexOf(column));
  if (twice !== undefined)
    throw new Fault(
      'source-unreadable',
      `${name} has two columns ${twice}: which of them is meant cannot be told. Rename one in the file.`,
    );
  if (missing.length === 0) return;
  const there = has.slice(0, shownMax).map((each) => (/^[\w.-]+$/.test(each) ? each : JSON.stringify(each)));
  const more = has.length > shownMax ? ` and ${has.length - shownMax} more` : '';
  throw new Fault(
    'source-unreadable',
    `${name} has no column ${missing.join(', ')}; it has ${there.join(', ')}${more}.${hint || ' Put it into the file, or take it out of output.'}`,
  );
}
