import type { FaultEntries } from './entry.ts';

/** Codes with which a store refuses an append. Nothing was stored. A caller that cannot handle a refusal throws it as a `Fault`. */
export const appendRefusals = {
  'already-recorded': {
    kind: 'fault',
    happened: 'The log already has the success of that batch, the end of that attempt, or a run with that id.',
    advice: 'Resume the run, or start a run with another id.',
  },
  'append-id-reused': {
    kind: 'bug',
    happened: 'Different events were sent earlier under the id of this append.',
    advice: 'Report it. `distilog resume RUN` continues the run.',
  },
  fenced: {
    kind: 'fault',
    happened: 'Another process took the run over. This process stopped, and the other process repeats its open work.',
    advice: 'Watch the run with `distilog status RUN --follow`.',
  },
  'history-diverged': {
    kind: 'fault',
    happened: "The log does not end where the driver's last append ended. The server may have fallen back to an older copy.",
    advice: 'Run `distilog verify RUN`. If it finds nothing, resume the run.',
  },
  'invalid-event': {
    kind: 'bug',
    happened: 'The store refused the bytes of an event.',
    advice: 'Report it and include the message.',
  },
  'unknown-chunk': {
    kind: 'fault',
    happened: 'An event names rows that are not in the store.',
    advice: 'Run `distilog verify RUN`. If it finds nothing, resume the run.',
  },
  'unknown-log': {
    kind: 'usage',
    happened: 'The store does not have that log.',
    advice: 'Name a run that `distilog runs` lists, or name another store.',
  },
} as const satisfies FaultEntries;

export type AppendRefusalCode = keyof typeof appendRefusals;

/** Codes with which a store refuses to open a driver's session. */
export const sessionRefusals = {
  driven: {
    kind: 'usage',
    happened: 'Another process holds the lock of the run. The command line reports it as `run-is-driven`.',
    advice: 'Stop that process, or take the run over.',
  },
} as const satisfies FaultEntries;
