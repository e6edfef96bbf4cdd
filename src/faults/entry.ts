/** Kind of a fault. `usage`: the caller must change the call. `fault`: something outside of this program failed. `bug`: this program has a mistake. */
export type FaultKind = 'usage' | 'fault' | 'bug';

/** Exit code of each kind. Code 1 also means a failed run; `docs/CLI.md` has the whole table. */
export const faultExitCodes: Readonly<Record<FaultKind, number>> = { usage: 2, fault: 1, bug: 1 };

/** Entry of the catalogue: sentences for an operator, as `docs/ERRORS.md` prints them. */
export interface FaultEntry {
  readonly kind: FaultKind;
  readonly happened: string;
  readonly advice: string;
}

export type FaultEntries = Readonly<Record<string, FaultEntry>>;
