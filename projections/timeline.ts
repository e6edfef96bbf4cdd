import type { EventType, RecordedEvent } from '../schema/index.ts';
import { projection } from './projection.ts';

/** One thing that happened to the run or to one of its steps. */
export interface TimelineEntry {
  readonly position: number;
  readonly recordedAt: string;
  readonly type: EventType;
  /** The step, where it happened to one. */
  readonly step: string | null;
  /** Who did it, as `user@host:pid`, where somebody did. */
  readonly who: string | null;
  /** The reason, the outcome or the cause, in words. */
  readonly what: string;
}

export interface TimelineState {
  readonly entries: readonly TimelineEntry[];
  /** Entries before those that are kept, without the first. */
  readonly omitted: number;
}

/** Entries kept: the first, and the latest of the others. */
const entriesMax = 500;

/** The history of a run as a person would tell it: starts, takeovers, pauses, ends; not its batches. */
export const timeline = projection<TimelineState>({
  name: 'timeline',
  version: 2,
  initialState: () => ({ entries: [], omitted: 0 }),
  on: {
    RunStarted: (state, event) => noted(state, event, who(event.data.actor), `pipeline ${event.data.manifest.pipeline}`),
    RunResumed: (state, event) => noted(state, event, who(event.data.actor), resumption(event)),
    RunReopened: (state, event) => noted(state, event, who(event.data.actor), reopening(event)),
    RunPaused: (state, event) => noted(state, event, who(event.data.actor), `${event.data.reason}: ${event.data.message}`),
    RunCancelled: (state, event) => noted(state, event, who(event.data.actor), event.data.message),
    RunFinished: (state, event) => noted(state, event, null, event.data.outcome),
    StepStarted: (state, event) => noted(state, event, null, ''),
    StepFinished: (state, event) => noted(state, event, null, ''),
    StepFailed: (state, event) => noted(state, event, null, `${event.data.error.code}: ${event.data.error.message}`),
  },
});

const who = ({ user, host, pid }: { readonly user: string; readonly host: string; readonly pid: number }): string =>
  `${user}@${host}:${pid}`;

/** Which rows a new pass tries again, in words. */
export const reopening = ({ data: { pass, rejected } }: RecordedEvent<'RunReopened'>): string =>
  `pass ${pass} tries again: ${rejected.map(({ step, code, rows }) => `${rows} of ${step} (${code})`).join(', ')}`;

function resumption({ data }: RecordedEvent<'RunResumed'>): string {
  const from = data.from ? `from ${who(data.from)}` : '';
  const changes =
    data.acceptedChanges.length > 0 ? `changed steps accepted: ${data.acceptedChanges.map(({ step }) => step).join(', ')}` : '';
  return [data.reason, from, changes].filter(Boolean).join('; ');
}

function noted(state: TimelineState, event: RecordedEvent, by: string | null, what: string): TimelineState {
  const entry: TimelineEntry = {
    position: event.position,
    recordedAt: event.recordedAt,
    type: event.type,
    step: 'step' in event ? event.step : null,
    who: by,
    what,
  };
  const [first, ...others] = [...state.entries, entry];
  const kept = others.slice(-(entriesMax - 1));
  return first ? { entries: [first, ...kept], omitted: state.omitted + others.length - kept.length } : state;
}
