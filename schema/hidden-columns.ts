// Columns that rows carry for the engine's own sake. Their names begin with a prefix that users' columns may not have.

/** The prefix of names that are the engine's own. */
export const hiddenPrefix = 'distilog:';

/** A row's place in the output of a step above it, as `pass/batch/row`: what rows of several branches are matched by. */
export const placeColumn = (step: string): string => `${hiddenPrefix}place-in:${step}`;

/** A row's place in the output of a step. */
export type RowPlace = readonly [pass: number, batch: number, row: number];

/** A place as such a column holds it. */
export const placeText = (place: RowPlace): string => place.join('/');

/** What such a column holds, taken apart. */
export const parsePlace = (text: unknown): RowPlace => {
  const [pass = 0, batch = 0, row = 0] = typeof text === 'string' ? text.split('/').map(Number) : [];
  return [pass, batch, row];
};

/** The number of a source's item, from 0. Only sources have this column. */
export const itemColumn = `${hiddenPrefix}item`;

/** A row's origin, as text: what its keys and seeds are made of. See `src/rows/origins.ts`. */
export const originColumn = `${hiddenPrefix}origin`;

/** A join's own: which row of its n-th upstream step's input a row is made from. */
export const joinedColumn = (upstream: number): string => `${hiddenPrefix}row-of:${upstream}`;

/** A route's own: the branch that each row takes. */
export const branchColumn = `${hiddenPrefix}branch`;
