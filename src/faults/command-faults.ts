import type { FaultEntries } from './entry.ts';

/** Faults of a command's arguments, and of the files that it writes. */
export const commandFaults = {
  'ambiguous-run': {
    kind: 'usage',
    happened: 'The prefix of a run fits several runs.',
    advice: 'Give more characters of the run. `distilog runs` lists all.',
  },
  'as-of-before-start': {
    kind: 'usage',
    happened: 'The AS-OF lies before the first event of the run.',
    advice: 'Give a later time, or a position from 1.',
  },
  'as-of-beyond-head': {
    kind: 'usage',
    happened: 'The AS-OF is a position that the run does not have yet.',
    advice: 'Give a position up to the head, or `head`.',
  },
  'contradictory-options': {
    kind: 'usage',
    happened: 'Two options of the command exclude each other, or one needs another.',
    advice: 'Leave out the one that the message names. `distilog COMMAND --help` describes the options.',
  },
  'invalid-concurrency': {
    kind: 'usage',
    happened: '`--concurrency` does not name a step and a number from 1.',
    advice: 'Write `--concurrency STEP=N`.',
  },
  'invalid-row': {
    kind: 'usage',
    happened: 'A row was named in no form that `trace` reads, or the file does not have that row.',
    advice: 'Write `STEP:N`, `STEP:BATCH/ROW`, or `FILE:N` of an exported file.',
  },
  'invalid-seed': {
    kind: 'usage',
    happened: '`--seed` is no whole number from 0.',
    advice: 'Give such a number, or leave the option out.',
  },
  'invalid-skip': { kind: 'usage', happened: '`--skip` does not name a step and a batch.', advice: 'Write `--skip STEP/BATCH`.' },
  'no-admin': {
    kind: 'usage',
    happened: "`db url --admin` was asked for a server that is not distilog's own.",
    advice: "Use the server's own administrator login.",
  },
  'no-rows': {
    kind: 'usage',
    happened: '`init` found no row in the file, so it knows no column types.',
    advice: 'Give a file with at least one row.',
  },
  'not-a-distiset': {
    kind: 'usage',
    happened: 'The directory holds no dataset that distilog wrote.',
    advice: 'Give the directory that holds `distilog.json`.',
  },
  'not-a-number': { kind: 'usage', happened: 'An option that counts is no whole number from 1.', advice: 'Give such a number.' },
  'not-a-select': {
    kind: 'usage',
    happened: '`sql` was given a statement that does not only read. Nothing was run.',
    advice: 'Give one `select`, `with`, `values`, `table`, `explain` or `show`.',
  },
  'not-a-time': {
    kind: 'usage',
    happened: 'A text is no time and no age.',
    advice: 'Write `2026-11-24T10:30`, `2026-11-24`, `5m` or `1d`.',
  },
  'not-an-as-of': {
    kind: 'usage',
    happened: 'A text is no position and no time.',
    advice: 'Give a position (`1234`), a time (`2026-11-24T10:30`), an age (`5m`) or `head`.',
  },
  'other-run': {
    kind: 'usage',
    happened: 'The dataset to verify was written from another run.',
    advice: 'Name the run that the message names, or leave the run out.',
  },
  'output-exists': {
    kind: 'usage',
    happened: 'The output exists already. Nothing was overwritten.',
    advice: 'Name another output, or remove the old one.',
  },
  'output-unwritable': {
    kind: 'usage',
    happened: 'Nothing can be written at the output: its parent is missing, is a file, or belongs to another user.',
    advice: 'Name another output.',
  },
  'sql-error': {
    kind: 'usage',
    happened: 'PostgreSQL did not accept the statement of `sql`.',
    advice: 'Correct the statement at the place that the message shows.',
  },
  'sql-timeout': {
    kind: 'usage',
    happened: 'The statement of `sql` took too long and was ended.',
    advice: 'Read fewer rows: add a condition or a limit.',
  },
  'unknown-event-type': {
    kind: 'usage',
    happened: '`log --type` names no event type.',
    advice: 'Use one of the types that the message lists.',
  },
  'unknown-format': {
    kind: 'usage',
    happened: 'The file of `init` has an ending that names no known format.',
    advice: 'Convert the file to JSONL, CSV, TSV or Parquet, or give it the right ending.',
  },
  'value-not-of-type': {
    kind: 'fault',
    happened: "A row's value does not fit its column's type, so the export ended. No dataset was written.",
    advice: "Correct the column's schema in a new run, or export as JSONL.",
  },
  'write-failed': {
    kind: 'fault',
    happened: 'Writing an output failed midway. Nothing of it is left.',
    advice: 'Check the disk and the folder that the message names, then repeat the command.',
  },
} as const satisfies FaultEntries;
