import { Fault } from '#kit/fault';

/** A definition that cannot be run: what is wrong, where, and what to write instead. */
export function refuse(message: string, where: { readonly step?: string | undefined; readonly site?: string | undefined } = {}): never {
  const place = [where.step === undefined ? '' : `Step ${where.step}`, where.site ?? ''].filter(Boolean).join(' ');
  throw new Fault('invalid-pipeline', place ? `${place}: ${message}` : message, { details: { step: where.step ?? null } });
}

/** Where in the user's file a step was written (`(dictionary.ts:12)`), as far as the stack tells. */
export function callSite(own: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, own);
  for (const line of (holder.stack ?? '').split('\n').slice(1)) {
    const match = /(?:file:\/\/)?([^()\s]+?):(\d+):\d+\)?$/.exec(line);
    if (match && !line.includes('node:')) return `(${match[1]?.split('/').slice(-1)[0]}:${match[2]})`;
  }
  return '';
}
