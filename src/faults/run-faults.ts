import type { FaultEntries } from './entry.ts';

/** Faults of a request that concerns a run: its state, its driver, its rows. */
export const runFaults = {
  'appender-closed': {
    kind: 'bug',
    happened: 'Events were appended after the driver of the run had ended.',
    advice: 'Report it. `distilog resume` continues the run.',
  },
  'batch-missing': {
    kind: 'bug',
    happened: 'Rows were read of a batch that had not succeeded by that position.',
    advice: 'Report it and include the output of `distilog verify RUN`.',
  },
  'not-driven': {
    kind: 'usage',
    happened: 'The run is interrupted: no process drives it, so it cannot be paused.',
    advice: 'Continue it with `distilog resume RUN`, or end it with `distilog cancel RUN`.',
  },
  'not-exact': {
    kind: 'usage',
    happened: 'Rows above a `batch` or `global` step cannot be retried: results of that step are already part of rows in the dataset.',
    advice: 'Start a new run, or retry other steps with `--step`.',
  },
  'not-open': {
    kind: 'usage',
    happened: '`--skip` names a batch that is not open.',
    advice: 'Name one of the open batches that the message lists.',
  },
  'not-running': {
    kind: 'usage',
    happened: 'The run is not running, so it cannot be paused or cancelled.',
    advice: 'No action is needed. `distilog status RUN` shows the run.',
  },
  'nothing-rejected': {
    kind: 'usage',
    happened: 'The run has no rejected row that matches the options of `retry`.',
    advice: 'Omit `--step` or `--code`. `distilog errors RUN` lists the rejected rows.',
  },
  'row-missing': {
    kind: 'bug',
    happened: 'A row refers to a row that its batch does not have.',
    advice: 'Report it and include the output of `distilog verify RUN`.',
  },
  'run-is-driven': {
    kind: 'usage',
    happened: 'Another process drives the run.',
    advice: 'Stop that process, wait for it, or take the run over with `--take-over`.',
  },
  'run-is-over': {
    kind: 'usage',
    happened: 'The run is over, so it cannot be resumed.',
    advice: 'Write its dataset with `distilog distiset RUN`, or retry its rejected rows with `distilog retry RUN`.',
  },
  'run-not-over': {
    kind: 'usage',
    happened: 'The run is not over, so its rejected rows cannot be retried yet.',
    advice: 'Wait for its end, or continue it with `distilog resume RUN`.',
  },
  'several-runs': {
    kind: 'usage',
    happened: 'Several runs match the command, and none was named.',
    advice: 'Name one of the runs that the message lists.',
  },
  'unknown-event': {
    kind: 'usage',
    happened: 'A newer version of distilog wrote the log. It contains an event that this version does not know.',
    advice: 'Update distilog.',
  },
  'unknown-pipeline': {
    kind: 'usage',
    happened: 'The store has no run of that pipeline.',
    advice: 'Use one of the names that the message lists, or name another store.',
  },
  'unknown-row': {
    kind: 'usage',
    happened: 'The step does not have that row at the position.',
    advice: 'Name a row that `distilog rows` shows.',
  },
  'unknown-run': {
    kind: 'usage',
    happened: 'The store does not have that run, or has no run at all.',
    advice: 'Name one that `distilog runs` lists, or name another store.',
  },
  'unknown-step': {
    kind: 'usage',
    happened: 'The run does not have that step.',
    advice: 'Name one of the steps that the message lists.',
  },
} as const satisfies FaultEntries;
