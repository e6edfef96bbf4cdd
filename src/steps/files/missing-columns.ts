import { Fault } from '../../kit/fault.ts';
import type { Columns } from '../../pipeline/index.ts';
import { accepts } from './fitting.ts';

/** Maximum number of names in a message. */
const shownMax = 30;

/** Refuses a file that lacks a declared column without a default, or has one twice. */
export function refuseMissing(name: string, fileColumns: readonly string[], output: Columns, hint = ''): void {
  const missing = Object.entries(output.shape)
    .filter(([column, type]) => !fileColumns.includes(column) && !accepts(type, undefined))
    .map(([column]) => column);
  const duplicate = Object.keys(output.shape).find((column) => fileColumns.indexOf(column) !== fileColumns.lastIndexOf(column));
  if (duplicate !== undefined)
    throw new Fault('source-unreadable', `${name} has two columns ${duplicate}, so the name is ambiguous. Rename one in the file.`);
  if (missing.length === 0) return;
  const available = fileColumns.slice(0, shownMax).map((each) => (/^[\w.-]+$/.test(each) ? each : JSON.stringify(each)));
  const more = fileColumns.length > shownMax ? ` and ${fileColumns.length - shownMax} more` : '';
  throw new Fault(
    'source-unreadable',
    `${name} has no column ${missing.join(', ')}; it has ${available.join(', ')}${more}.${hint || ' Add it to the file, or remove it from output.'}`,
  );
}
