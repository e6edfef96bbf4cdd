import { z } from 'zod';

const count = z.int().nonnegative();

/** A place in a step's output: row `row` of batch `batch`, both from 0. */
export const placeSchema = z.tuple([count, count]);
export type Place = readonly [batch: number, row: number];

/**
 * The rows of one upstream step in one pass, from place `from` up to, but not including, place `to`. A span with `rows` lies within one batch and holds only the
 * rows with these numbers, which are ascending. `from` and `to` enclose them.
 */
export const spanSchema = z.object({
  step: z.string(),
  pass: z.int().positive(),
  from: placeSchema,
  to: placeSchema,
  rows: z.array(count).optional(),
});
export type Span = {
  readonly step: string;
  readonly pass: number;
  readonly from: Place;
  readonly to: Place;
  readonly rows?: readonly number[] | undefined;
};

/** A half-open range of row numbers within a batch's input. */
export const rangeSchema = z.tuple([count, count]);
export type Range = readonly [from: number, to: number];
