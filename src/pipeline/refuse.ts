import { describeThrown } from '../kit/describe-thrown.ts';
import { Fault } from '../kit/fault.ts';

/** Throws `Fault('invalid-pipeline')` for a definition that cannot be run. The message says where, what is wrong, and what to write instead. */
export function refuse(message: string, location: { readonly step?: string | undefined; readonly site?: string | undefined } = {}): never {
  const place = [location.step === undefined ? '' : `Step ${location.step}`, location.site ?? ''].filter(Boolean).join(' ');
  throw new Fault('invalid-pipeline', place ? `${place}: ${message}` : message, { details: { step: location.step ?? null } });
}

/** Returns the place in the user's file that called `own` (`(dictionary.ts:12)`), or an empty text if the stack does not show it. */
export function findCallSite(own: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, own);
  return findUserFrame(holder.stack ?? '');
}

/** Returns the place in the user's file where an error was thrown (` (dictionary.ts:12)`), or an empty text if the stack does not show it. */
export function findThrowSite(error: unknown): string {
  const place = findUserFrame(describeThrown(error).stack);
  return place && ` ${place}`;
}

function findUserFrame(stack: string): string {
  for (const line of stack.split('\n').slice(1)) {
    const match = /(?:file:\/\/)?([^()\s]+?):(\d+):\d+\)?$/.exec(line);
    const isUsers = !/node:|[/\\]node_modules[/\\]/.test(line) && !line.includes(import.meta.dirname);
    if (match && isUsers) return `(${match[1]?.split('/').slice(-1)[0]}:${match[2]})`;
  }
  return '';
}
