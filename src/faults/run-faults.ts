import type { FaultEntries } from './entry.ts';

/** Faults of a request that concerns a run: its state, its driver, its rows. */
export const runFaults = {
  'appender-closed': {
    kind: 'bug',
    happened: 'Events were to be appended after the driver of the run had ended.',
    advice: 'Report it. `distilog resume` goes on with the run.',
  },
  'batch-missing': {
    kind: 'bug',
    happened: 'Rows of a batch were read that did not succeed by that position.',
    advice: 'Report it, with the output of `distilog verify RUN`.',
  },
  'not-driven': {
    kind: 'usage',
    happened: 'The run is interrupted: no process drives it, so it cannot be paused.',
    advice: 'Go on with `distilog resume RUN`, or end it with `distilog cancel RUN`.',
  },
  'not-exact': {
    kind: 'usage',
    happened: 'Rows above a `batch` or `global` step cannot be retried: their results are part of rows in the dataset.',
    advice: 'Start a new run, or retry other steps with `--step`.',
  },
  'not-open': {
    kind: 'usage',
    happened: '`--skip` names a batch that is not open.',
    advice: 'Name one of the open batches that the message lists.',
  },
  'not-running': {
    kind: 'usage',
    happened: 'The run does not run, so there is nothing to pause or cancel.',
    advice: 'Nothing is left to do. `distilog status RUN` shows the run.',
  },
  'nothing-rejected': {
    kind: 'usage',
    happened: 'The run has no rejected row that fits the options of `retry`.',
    advice: 'Drop `--step` or `--code`. `distilog errors RUN` lists what was lost.',
  },
  'row-missing': {
    kind: 'bug',
    happened: 'A row refers to a row that its batch does not have.',
    advice: 'Report it, with the output of `distilog verify RUN`.',
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
    advice: 'Wait for its end, or go on with `distilog resume RUN`.',
  },
  'several-runs': {
    kind: 'usage',
    happened: 'The command fits several runs, and none was named.',
    advice: 'Name one of the runs that the message lists.',
  },
  'unknown-event': {
    kind: 'usage',
    happened: 'A newer version of distilog wrote the log. This version does not know one of its events.',
    advice: 'Update distilog.',
  },
  'unknown-pipeline': {
    kind: 'usage',
    happened: 'No run of the store is of that pipeline.',
    advice: 'Use one of the names that the message lists, or name another store.',
  },
  'unknown-row': {
    kind: 'usage',
    happened: 'The step does not have that row up to the position.',
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
