import { messageLengthMax, stackLengthMax } from './bounds.ts';

/**
 * Text that PostgreSQL's jsonb takes: NUL and lone surrogates become U+FFFD. Every text in an event goes through here, so that each event can be
 * queried as jsonb; rows keep theirs, in chunks.
 */
export const storableText = (text: string): string => text.toWellFormed().replaceAll('\u0000', '\uFFFD');

/** Whether all texts in a JSON value are storable as they are. */
export const isStorable = (value: unknown): boolean => {
  if (typeof value === 'string') return storableText(value) === value;
  return (
    typeof value !== 'object' || value === null || Object.entries(value).every(([key, member]) => isStorable(key) && isStorable(member))
  );
};

/** An error message as events hold it: storable, and cut to `messageLengthMax`. */
export const storableMessage = (message: string): string => clip(storableText(message), messageLengthMax);

/** A stack as events hold it: storable, and cut to `stackLengthMax`. */
export const storableStack = (stack: string): string => clip(storableText(stack), stackLengthMax);

function clip(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const note = ` … (${text.length} characters)`;
  return text.slice(0, lengthMax - note.length).toWellFormed() + note;
}
