import { Fault } from '../kit/fault.ts';

/** Parses the value of an option that counts: a whole number from 1. Throws `Fault('not-a-number')`. */
export function parseCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1) return count;
  throw new Fault('not-a-number', `${name} ${text} is not a number from 1. Give a whole number, such as ${name} 10.`);
}
