import { messageLengthMax, stackLengthMax } from './bounds.ts';

/**
 * Returns text that PostgreSQL's jsonb accepts: NUL and lone surrogates become U+FFFD. It is applied to every text in an event, so that events can be
 * queried as jsonb. Rows keep such characters, because they are stored in chunks.
 */
export const storableText = (text: string): string => text.toWellFormed().replaceAll('\u0000', '\uFFFD');

/** Returns whether all texts in a JSON value can be stored unchanged. */
export const isStorable = (value: unknown): boolean => {
  if (typeof value === 'string') return storableText(value) === value;
  return (
    typeof value !== 'object' || value === null || Object.entries(value).every(([key, member]) => isStorable(key) && isStorable(member))
  );
};

/** Returns an error message as events hold it: storable, and cut to `messageLengthMax`. */
export const storableMessage = (message: string): string => clip(storableText(message), messageLengthMax);

/** Returns a stack as events hold it: storable, and cut to `stackLengthMax`. */
export const storableStack = (stack: string): string => clip(storableText(stack), stackLengthMax);

function clip(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const note = ` … (${text.length} characters)`;
  return text.slice(0, lengthMax - note.length).toWellFormed() + note;
}
