import type { FaultEntries } from './entry.ts';

/** Faults of a pipeline file, its definition, its params, and the files that its sources read. */
export const pipelineFaults = {
  'definition-changed': {
    kind: 'usage',
    happened: 'The pipeline is not the one that the run began with.',
    advice: 'Undo the change, or continue with `--accept-changes`. If columns differ, start a new run.',
  },
  'file-not-known': {
    kind: 'usage',
    happened: 'The log names a pipeline file that this user has not run on this machine. The file was not loaded.',
    advice: 'If you trust the file, name it on the command line.',
  },
  'invalid-options': {
    kind: 'usage',
    happened: 'An option of a file source or of `init` has an impossible value.',
    advice: 'Correct the option that the message names.',
  },
  'invalid-params': {
    kind: 'usage',
    happened: 'A param is unknown, missing, of another type, or cannot be recorded.',
    advice: 'Correct the param with `--param NAME=VALUE`. Give a secret as `DISTILOG_PARAM_NAME`.',
  },
  'invalid-pipeline': {
    kind: 'usage',
    happened: 'The definition of the pipeline contradicts itself, or threw an error.',
    advice: 'Correct the step that the message names.',
  },
  'invalid-rehearsal': {
    kind: 'usage',
    happened: '`rehearse` was called with a stub or an option that does not match the pipeline.',
    advice: 'Correct the call in the test.',
  },
  'no-file': {
    kind: 'usage',
    happened: 'The run was started from code, so its log names no pipeline file.',
    advice: 'Name the file: `distilog resume RUN FILE`.',
  },
  'no-pipeline': {
    kind: 'usage',
    happened: 'The file does not export exactly one pipeline.',
    advice: 'Export the pipeline as default: `export default pipeline(…)`.',
  },
  'no-such-file': {
    kind: 'usage',
    happened: 'The pipeline file is missing, cannot be read, or is a folder.',
    advice: 'Give the path of a pipeline file.',
  },
  'other-pipeline': {
    kind: 'usage',
    happened: "The file defines a different pipeline than the run's.",
    advice: 'Give the file of the pipeline that the message names.',
  },
  'params-are-fixed': {
    kind: 'usage',
    happened: 'A param was given a value that differs from the one the run started with.',
    advice: 'Omit the param, or start a new run.',
  },
  'pipeline-not-loaded': {
    kind: 'usage',
    happened: 'The pipeline file does not compile, imports a missing module, or threw an error when it was loaded.',
    advice: 'Correct the file where the message points.',
  },
  'source-changed': {
    kind: 'fault',
    happened: 'A source no longer returns the rows that it returned before.',
    advice: 'Restore the file and resume, or start a new run.',
  },
  'source-unreadable': {
    kind: 'usage',
    happened: 'A file is missing, cannot be read, or has another format than its source declares.',
    advice: 'Correct the path, the permissions or the file.',
  },
} as const satisfies FaultEntries;
