/** Where a row stands: which row of which batch of a step, both from 0. */
export interface RowPlace {
  readonly step: string;
  readonly pass: number;
  readonly batch: number;
  readonly row: number;
}

/** A row's name: `STEP:BATCH/ROW`, or `STEP:PASS.BATCH/ROW` where rejected rows were tried again in a later pass. */
export const rowId = ({ step, pass, batch, row }: RowPlace): string => `${step}:${pass > 1 ? `${pass}.` : ''}${batch}/${row}`;
