import { Fault } from '../kit/fault.ts';
import type { RowName } from '../rows/index.ts';

/** Returns a row's name: `STEP:BATCH/ROW`, or `STEP:PASS.BATCH/ROW` for a row of a later pass. */
export const rowId = ({ step, pass, batch, row }: RowName): string => `${step}:${pass > 1 ? `${pass}.` : ''}${batch}/${row}`;

/** Parses such a name, or `STEP:N`, the nth row of a step from 0. Throws `Fault('invalid-row')`. */
export function parseRowId(asked: string): { readonly step: string; readonly index: number; readonly place: RowName | null } {
  const [, step, pass, batch, row] = /^([^:]+):(?:(?:(\d+)\.)?(\d+)\/)?(\d+)$/.exec(asked) ?? [];
  if (step === undefined || row === undefined) {
    throw new Fault(
      'invalid-row',
      `${asked} does not name a row. Write STEP:N (the nth row, from 0), STEP:BATCH/ROW as distilog rows prints it, or FILE:N for an exported file.`,
    );
  }
  const place = batch === undefined ? null : { step, pass: Number(pass ?? 1), batch: Number(batch), row: Number(row) };
  return { step, index: Number(row), place };
}
