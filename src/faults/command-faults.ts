import type { FaultEntries } from './entry.ts';

/** Faults of a command's arguments, and of the files that it writes. */
export const commandFaults = {
  'ambiguous-run': {
    kind: 'usage',
    happened: 'Several runs have an id that begins with this prefix.',
    advice: "Give more characters of the run's id. `distilog runs` lists all runs.",
  },
  'as-of-before-start': {
    kind: 'usage',
    happened: 'The AS-OF is before the first event of the run.',
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
    advice: 'Omit the option that the message names. `distilog COMMAND --help` describes the options.',
  },
  'invalid-concurrency': {
    kind: 'usage',
    happened: '`--concurrency` does not name a step and a number of at least 1.',
    advice: 'Write `--concurrency STEP=N`.',
  },
  'invalid-row': {
    kind: 'usage',
    happened: '`trace` cannot read the name of the row, or the file does not have that row.',
    advice: 'Write `STEP:N`, `STEP:BATCH/ROW`, or `FILE:N` of an exported file.',
  },
  'invalid-seed': {
    kind: 'usage',
    happened: '`--seed` is not a whole number of at least 0.',
    advice: 'Give such a number, or omit the option.',
  },
  'invalid-skip': { kind: 'usage', happened: '`--skip` does not name a step and a batch.', advice: 'Write `--skip STEP/BATCH`.' },
  'no-admin': {
    kind: 'usage',
    happened: "`db url --admin` was asked for a server that is not distilog's own.",
    advice: "Use the server's own administrator login.",
  },
  'no-rows': {
    kind: 'usage',
    happened: '`init` found no row in the file, so it cannot infer column types.',
    advice: 'Give a file with at least one row.',
  },
  'not-a-distiset': {
    kind: 'usage',
    happened: 'The directory does not contain a dataset that distilog wrote.',
    advice: 'Give the directory that contains `distilog.json`.',
  },
  'not-a-number': {
    kind: 'usage',
    happened: 'The value of an option is not a whole number of at least 1.',
    advice: 'Give a whole number of at least 1.',
  },
  'not-a-select': {
    kind: 'usage',
    happened: '`sql` was given a statement that may write. It was not run.',
    advice: 'Give one `select`, `with`, `values`, `table`, `explain` or `show`.',
  },
  'not-a-time': {
    kind: 'usage',
    happened: 'A value is neither a time nor an age.',
    advice: 'Write `2026-11-24T10:30`, `2026-11-24`, `5m` or `1d`.',
  },
  'not-an-as-of': {
    kind: 'usage',
    happened: 'A value is neither a position nor a time.',
    advice: 'Give a position (`1234`), a time (`2026-11-24T10:30`), an age (`5m`) or `head`.',
  },
  'other-run': {
    kind: 'usage',
    happened: 'The dataset to verify was written from another run.',
    advice: 'Give the run that the message names, or omit the run.',
  },
  'output-exists': {
    kind: 'usage',
    happened: 'The output already exists. Nothing was overwritten.',
    advice: 'Name another output, or remove the old one.',
  },
  'output-unwritable': {
    kind: 'usage',
    happened: 'The output cannot be written: its parent folder is missing, is a file, or belongs to another user.',
    advice: 'Name another output.',
  },
  'sql-error': {
    kind: 'usage',
    happened: 'PostgreSQL rejected the statement of `sql`.',
    advice: 'Correct the statement where the message points.',
  },
  'sql-timeout': {
    kind: 'usage',
    happened: 'The statement of `sql` took too long and was cancelled.',
    advice: 'Read fewer rows: add a condition or a limit.',
  },
  'unknown-event-type': {
    kind: 'usage',
    happened: '`log --type` does not name an event type.',
    advice: 'Use one of the types that the message lists.',
  },
  'unknown-format': {
    kind: 'usage',
    happened: 'The extension of the file for `init` is not a known format.',
    advice: 'Convert the file to JSONL, CSV, TSV or Parquet, or give it the right extension.',
  },
  'value-not-of-type': {
    kind: 'fault',
    happened: "A row's value does not fit its column's type, so the export stopped. No dataset was written.",
    advice: "Correct the column's schema in a new run, or export as JSONL.",
  },
  'write-failed': {
    kind: 'fault',
    happened: 'Writing an output failed midway. The partial output was removed.',
    advice: 'Check the disk and the folder that the message names, then repeat the command.',
  },
} as const satisfies FaultEntries;
