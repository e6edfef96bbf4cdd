// The catalogue of codes of errors, refusals and lost rows, with what happened and what an operator can do.
import { commandFaults } from './command-faults.ts';
import type { FaultEntry, FaultKind } from './entry.ts';
import { pipelineFaults } from './pipeline-faults.ts';
import { appendRefusals, sessionRefusals } from './refusals.ts';
import { rowCodes, type RowCode } from './row-codes.ts';
import { runFaults } from './run-faults.ts';
import { storeFaults } from './store-faults.ts';

export { faultExitCodes, type FaultEntry, type FaultKind } from './entry.ts';
export { rowCodes, type RowCode, type RowCodeEntry, type RowEffect } from './row-codes.ts';
export type { AppendRefusalCode, appendRefusals } from './refusals.ts';

/** Codes of thrown `Fault`s only. */
export const faults = { ...commandFaults, ...pipelineFaults, ...runFaults, ...storeFaults } as const;

/** Codes that a store returns instead of throwing. */
export const refusals = { ...appendRefusals, ...sessionRefusals } as const;

/** Code of a `Fault`. `docs/ERRORS.md` lists all codes. A `Fault` with a row's code ends a call of a step. */
export type FaultCode = keyof typeof faults | keyof typeof refusals | RowCode;

const kinds: ReadonlyMap<string, FaultKind> = new Map<string, FaultKind>([
  ...Object.keys(rowCodes).map((code): [string, FaultKind] => [code, 'fault']),
  ...[...Object.entries<FaultEntry>(refusals), ...Object.entries<FaultEntry>(faults)].map(([code, { kind }]): [string, FaultKind] => [
    code,
    kind,
  ]),
]);

/** Returns the kind of a code, or undefined for a code that is not in the catalogue. */
export const kindOfFault = (code: string): FaultKind | undefined => kinds.get(code);
