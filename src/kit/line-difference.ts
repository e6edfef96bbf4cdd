/** The part in which two texts differ: lines of the first text, and the lines of the second that replace them. */
export interface LineDifference {
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Compares two texts line by line. Returns the lines between the first and the last that differ. An empty text has no lines. */
export function lineDifference(before: string, after: string): LineDifference {
  const old = linesOf(before);
  const fresh = linesOf(after);
  const shorter = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shorter && old[head] === fresh[head]) head++;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
  return { removed: old.slice(head, old.length - tail), added: fresh.slice(head, fresh.length - tail) };
}

const linesOf = (text: string): readonly string[] => (text === '' ? [] : text.split('\n'));
