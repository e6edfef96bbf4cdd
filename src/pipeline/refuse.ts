import { describeThrown } from '../kit/describe-thrown.ts';
import { Fault } from '../kit/fault.ts';

/** A definition that cannot be run: what is wrong, where, and what to write instead. */
export function refuse(message: string, where: { readonly step?: string | undefined; readonly site?: string | undefined } = {}): never {
  const place = [where.step === undefined ? '' : `Step ${where.step}`, where.site ?? ''].filter(Boolean).join(' ');
  throw new Fault('invalid-pipeline', place ? `${place}: ${message}` : message, { details: { step: where.step ?? null } });
}

/** Where in the user's file a step was written (`(dictionary.ts:12)`), as far as the stack tells. */
export function callSite(own: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, own);
  return firstPlace(holder.stack ?? '');
}

/** Where in the user's file something was thrown (` (dictionary.ts:12)`), as far as the stack tells. */
export function thrownAt(error: unknown): string {
  const place = firstPlace(describeThrown(error).stack);
  return place && ` ${place}`;
}

function firstPlace(stack: string): string {
  for (const line of stack.split('\n').slice(1)) {
    const match = /(?:file:\/\/)?([^()\s]+?):(\d+):\d+\)?$/.exec(line);
    const isUsers = !/node:|[/\\]node_modules[/\\]/.test(line) && !line.includes(import.meta.dirname);
    if (match && isUsers) return `(${match[1]?.split('/').slice(-1)[0]}:${match[2]})`;
  }
  return '';
}
