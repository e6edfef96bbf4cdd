import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Numbers that this process drew. A mark holds them, so that nothing stored can pass for a mark. */
const secret = Array.from({ length: 4 }, () => randomInt(1_000, 10_000)).join(';');
const marks = new RegExp(String.raw`\x1b\[${secret};(\d+)m`);
/** A mark has the form of a colour, which has no width for libraries that measure text. */
const mark = (code: number | string): string => `\x1b[${secret};${code}m`;

/** Returns the text between marks, which a terminal turns into a style, or leaves out. */
export function styled(style: Style, text: string): string {
  const [on = 0, off = 0] = inspect.colors[style] ?? [];
  return `${mark(on)}${text}${mark(off)}`;
}

/** Returns the text with what is between its marks changed. */
export function changeText(text: string, change: (part: string) => string): string {
  if (!text.includes(secret)) return change(text);
  return split(text)
    .map((part, index) => (index % 2 === 0 ? change(part) : mark(part)))
    .join('');
}

/** Returns the text with its marks as escape sequences, or without them. Every style ends with the text. */
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

/** Returns the first characters of a text that is longer, followed by an ellipsis, with all of its marks. */
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

/** Texts at even places, the codes of marks between them at odd ones. */
const split = (text: string): readonly string[] => text.split(marks);

const isOpenAfter = (codes: readonly number[], on: readonly number[], off: number): boolean =>
  codes.findLastIndex((code) => on.includes(code)) > codes.lastIndexOf(off);
