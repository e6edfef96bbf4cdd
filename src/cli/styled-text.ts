import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Random numbers of this process. Every mark contains them, so that no stored text can imitate a mark. */
const secret = Array.from({ length: 4 }, () => randomInt(1_000, 10_000)).join(';');
const marks = new RegExp(String.raw`\x1b\[${secret};(\d+)m`);
/** Returns a mark. It has the form of a colour sequence, so that libraries that measure text give it no width. */
const mark = (code: number | string): string => `\x1b[${secret};${code}m`;

/** Returns the text between marks. Output code later replaces the marks by escape sequences or removes them. */
export function applyStyle(style: Style, text: string): string {
  const [on = 0, off = 0] = inspect.colors[style] ?? [];
  return `${mark(on)}${text}${mark(off)}`;
}

/** Applies `change` to the parts of a text between its marks. */
export function changeText(text: string, change: (part: string) => string): string {
  if (!text.includes(secret)) return change(text);
  return split(text)
    .map((part, index) => (index % 2 === 0 ? change(part) : mark(part)))
    .join('');
}

/** Replaces the marks of a text by escape sequences, or removes them. Every style ends with the text. */
export function resolveMarks(text: string, hasColour: boolean): string {
  if (!text.includes(secret)) return text;
  const parts = split(text);
  if (!hasColour) return parts.filter((_, index) => index % 2 === 0).join('');
  const codes = parts.filter((_, index) => index % 2 === 1).map(Number);
  const isOpen = isOpenAfter(codes, [1, 2], 22) || isOpenAfter(codes, [31, 32, 33, 36], 39);
  return parts.map((part, index) => (index % 2 === 0 ? part : `\x1b[${part}m`)).join('') + (isOpen ? '\x1b[0m' : '');
}

/** Returns the length of the text without its marks. */
export const textLength = (text: string): number =>
  split(text).reduce((sum, part, index) => (index % 2 === 0 ? sum + part.length : sum), 0);

/** Cuts a text to `lengthMax` characters and adds an ellipsis if it is longer. Keeps all of its marks. */
export function cutText(text: string, lengthMax: number, ellipsis: string): string {
  let left = lengthMax;
  let isCut = false;
  return changeText(text, (part) => {
    if (isCut) return '';
    isCut = part.length > left;
    const kept = part.slice(0, left);
    left -= kept.length;
    return isCut ? kept.toWellFormed() + ellipsis : kept;
  });
}

/** Splits a text at its marks: even elements are texts, odd elements are the codes of the marks between them. */
const split = (text: string): readonly string[] => text.split(marks);

const isOpenAfter = (codes: readonly number[], on: readonly number[], off: number): boolean =>
  codes.findLastIndex((code) => on.includes(code)) > codes.lastIndexOf(off);
