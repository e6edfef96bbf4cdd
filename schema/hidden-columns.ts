// Columns that the engine adds to rows. Their names start with a prefix that users' columns must not have.

/** The prefix of the engine's own column names. */
export const hiddenPrefix = 'distilog:';

/** Returns the column with a row's place in the output of a step above it, as `pass/batch/row`. Rows of several branches are matched by it. */
export const placeColumn = (step: string): string => `${hiddenPrefix}place-in:${step}`;

/** A row's place in the output of a step. */
export type RowPlace = readonly [pass: number, batch: number, row: number];

/** Formats a place as such a column holds it. */
export const placeText = (place: RowPlace): string => place.join('/');

/** Parses a place from such a column. */
export const parsePlace = (text: unknown): RowPlace => {
  const [pass = 0, batch = 0, row = 0] = typeof text === 'string' ? text.split('/').map(Number) : [];
  return [pass, batch, row];
};

/** The number of a source's item, from 0. Only sources have this column. */
export const itemColumn = `${hiddenPrefix}item`;

/** A row's origin, as text. Its keys and seeds are derived from it. See `src/rows/origins.ts`. */
export const originColumn = `${hiddenPrefix}origin`;

/** Returns a column of a join: the number of the row that a row is made from, in the input from the nth upstream step. */
export const joinedColumn = (upstream: number): string => `${hiddenPrefix}row-of:${upstream}`;

/** A column of a route: the branch that each row takes. */
export const branchColumn = `${hiddenPrefix}branch`;
