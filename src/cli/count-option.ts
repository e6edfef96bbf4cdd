import { Fault } from '../kit/fault.ts';

/** What an option that counts something says: a whole number from 1. Throws `Fault('not-a-number')`. */
export function countOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1) return count;
  throw new Fault('not-a-number', `${name} ${text}: give a whole number from 1, such as ${name} 10.`);
}
