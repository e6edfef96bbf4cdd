import type { EventType, RecordedEvent } from '../schema/index.ts';
import { projection } from './projection.ts';

/** An event of a run or of one of its steps, as text. */
export interface TimelineEntry {
  readonly position: number;
  readonly recordedAt: string;
  readonly type: EventType;
  /** The step, or null for an event of the run. */
  readonly step: string | null;
  /** The user who acted, as `user@host:pid`, or null. */
  readonly who: string | null;
  /** The reason, the outcome or the cause. */
  readonly what: string;
}

/** The timeline of a run. */
export interface TimelineState {
  readonly entries: readonly TimelineEntry[];
  /** Number of entries left out between the first and the second of `entries`. */
  readonly omitted: number;
}

/** Maximum number of entries: the first one, and the latest of the others. */
const entriesMax = 500;

/** Lists starts, takeovers, pauses and ends of a run and of its steps. Batches are left out. */
export const timeline = projection<TimelineState>({
  name: 'timeline',
  version: 2,
  initialState: () => ({ entries: [], omitted: 0 }),
  on: {
    RunStarted: (state, event) => addEntry(state, event, formatActor(event.data.actor), `pipeline ${event.data.manifest.pipeline}`),
    RunResumed: (state, event) => addEntry(state, event, formatActor(event.data.actor), describeResumption(event)),
    RunReopened: (state, event) => addEntry(state, event, formatActor(event.data.actor), describeReopening(event)),
    RunPaused: (state, event) => addEntry(state, event, formatActor(event.data.actor), `${event.data.reason}: ${event.data.message}`),
    RunCancelled: (state, event) => addEntry(state, event, formatActor(event.data.actor), event.data.message),
    RunFinished: (state, event) => addEntry(state, event, null, event.data.outcome),
    StepStarted: (state, event) => addEntry(state, event, null, ''),
    StepFinished: (state, event) => addEntry(state, event, null, ''),
    StepFailed: (state, event) => addEntry(state, event, null, `${event.data.error.code}: ${event.data.error.message}`),
  },
});

const formatActor = ({ user, host, pid }: { readonly user: string; readonly host: string; readonly pid: number }): string =>
  `${user}@${host}:${pid}`;

/** Describes which rows a new pass tries again. */
export const describeReopening = ({ data: { pass, rejected } }: RecordedEvent<'RunReopened'>): string =>
  `pass ${pass} tries again: ${rejected.map(({ step, code, rows }) => `${rows} of ${step} (${code})`).join(', ')}`;

function describeResumption({ data }: RecordedEvent<'RunResumed'>): string {
  const from = data.from ? `from ${formatActor(data.from)}` : '';
  const changes =
    data.acceptedChanges.length > 0 ? `changed steps accepted: ${data.acceptedChanges.map(({ step }) => step).join(', ')}` : '';
  return [data.reason, from, changes].filter(Boolean).join('; ');
}

function addEntry(state: TimelineState, event: RecordedEvent, by: string | null, what: string): TimelineState {
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
