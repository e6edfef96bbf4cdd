/** A batch of a step in a pass. */
export interface BatchName {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
}

/** An output row of a batch, from 0. */
export interface RowName extends BatchName {
  readonly row: number;
}

/** Returns a batch's key in caches. */
export const batchKey = ({ step, pass, batch }: BatchName): string => `${step}/${pass}/${batch}`;
