import { faultExitCodes, faults, refusals, rowCodes, type FaultEntry, type FaultKind, type RowEffect } from '../src/faults/index.ts';

const kindSections: readonly (readonly [FaultKind, string])[] = [
  [
    'usage',
    '## Wrong usage\n\nThe command cannot do what was asked. Run it again with other arguments, as another user, or on another store.',
  ],
  [
    'fault',
    '## Faults\n\nA server, a disk or a network failed, or another process intervened. The same command can succeed once the cause is removed.',
  ],
  [
    'bug',
    '## Bugs\n\ndistilog made a mistake. An error that this page does not list, such as a `TypeError`, is also a bug. The command prints its stack trace and asks you to report it.',
  ],
];

const effects: Readonly<Record<RowEffect, string>> = {
  retried: 'retried, then rejected',
  rejected: 'rejected',
  pauses: 'the run pauses',
  ends: 'no row is lost',
};

/** Returns the text of `docs/ERRORS.md`: tables of all codes in the catalogue. */
export function errorReference(): string {
  const sections = kindSections.map(([kind, heading]) => {
    const rows = sorted<FaultEntry>(faults).filter(([, entry]) => entry.kind === kind);
    return `${heading}\n\n${faultTable(rows)}`;
  });
  return `${introduction}\n${sections.join('\n')}\n${refusalsHeading}\n\n${faultTable(sorted<FaultEntry>(refusals))}\n${rowsHeading}\n\n${rowTable()}`;
}

const introduction = `# Errors

For operators, and for programs that handle errors. This page answers what each error code means and what to do about it.

A \`Fault\` has a \`code\` for programs (match it with \`hasCode\`) and a message for people. Commands print both: \`error[unknown-run]: There is no run …\`. Codes are part of the public interface and do not change. The exit code of a command follows from the kind of the fault: ${faultExitCodes.usage} for wrong usage, ${faultExitCodes.fault} for a fault, ${faultExitCodes.bug} for a bug. A run that ends without a fault has the exit code of its outcome: 0 succeeded, 1 failed or cancelled, 3 partial, 4 paused.

This page is generated from \`src/faults\` by \`npm run generate\`.
`;

const refusalsHeading = `## Refusals

A store returns these codes when it refuses an append or a session. It has then stored nothing. The driver of a run handles some of them, and throws the others as a \`Fault\` with the same code.`;

const rowsHeading = `## Codes of rows and batches

\`distilog errors\` lists lost rows by these codes. A step's function can throw errors with codes of its own. An error without a code gets one from its name: \`type-error\` for a \`TypeError\`, \`thrown-string\` for a thrown string. A rejected row affects neither other rows nor the run. The run ends as partial, with exit code 3. \`distilog retry\` tries rejected rows again.`;

const faultTable = (rows: readonly (readonly [string, FaultEntry])[]): string =>
  table(
    ['code', 'exit code', 'what happened', 'what to do'],
    rows.map(([code, { kind, happened, advice }]) => [`\`${code}\``, String(faultExitCodes[kind]), happened, advice]),
  );

const rowTable = (): string =>
  table(
    ['code', 'effect on the row', 'what happened', 'what to do'],
    sorted(rowCodes).map(([code, { effect, happened, advice }]) => [`\`${code}\``, effects[effect], happened, advice]),
  );

const sorted = <T>(entries: Readonly<Record<string, T>>): readonly (readonly [string, T])[] =>
  Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
