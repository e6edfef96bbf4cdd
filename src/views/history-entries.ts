import { describeReopening } from '../../projections/index.ts';
import type { EventType, RecordedEvent, StepChange } from '../../schema/index.ts';
import { formatCount } from '../kit/format-count.ts';
import { canonicalJson } from '../kit/json.ts';
import { runLogId, sideLogId, type Store } from '../log/index.ts';

/** One action of a user, or one change of a run's status. */
export interface HistoryEntry {
  readonly recordedAt: string;
  readonly log: 'run' | 'side';
  readonly position: number;
  readonly type: EventType;
  /** The user who acted, as `user@host:pid`, or null. */
  readonly who: string | null;
  readonly what: string;
}

const runTypes: readonly EventType[] = ['RunStarted', 'RunResumed', 'RunReopened', 'RunPaused', 'RunCancelled', 'RunFinished'];

/** Reads the history of a run from its log and its side log, ordered by time. */
export async function historyEntries(store: Store, runId: string): Promise<readonly HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  const read = async (log: HistoryEntry['log'], logId: string, types?: readonly EventType[]) => {
    for await (const page of store.log.read(logId, { types })) for (const event of page) entries.push(toEntry(event, log));
  };
  await read('run', runLogId(runId), runTypes);
  await read('side', sideLogId(runId));
  return entries.sort((a, b) => (a.recordedAt < b.recordedAt ? -1 : a.recordedAt > b.recordedAt ? 1 : 0));
}

function toEntry(event: RecordedEvent, log: HistoryEntry['log']): HistoryEntry {
  const actor = 'actor' in event.data ? event.data.actor : null;
  const { recordedAt, position, type } = event;
  return { recordedAt, log, position, type, who: actor ? `${actor.user}@${actor.host}:${actor.pid}` : null, what: describeEvent(event) };
}

function describeEvent(event: RecordedEvent): string {
  switch (event.type) {
    case 'RunStarted': {
      const { params, seed, program } = event.data;
      const assignments = Object.entries(params).map(
        ([name, value]) => `${name}=${typeof value === 'string' ? value : canonicalJson(value)}`,
      );
      return [...assignments, `seed ${seed}`, `distilog ${program.distilog}`].join(', ');
    }
    case 'RunResumed': {
      const { reason, from, acceptedChanges } = event.data;
      return [
        reason === 'taken-over' && from ? `taken over from ${from.user}@${from.host}:${from.pid}` : '',
        acceptedChanges.length > 0
          ? `changes accepted: ${acceptedChanges.map(({ step, kind, parts }) => describeChange({ step, kind, parts })).join('; ')}`
          : '',
      ]
        .filter(Boolean)
        .join('; ');
    }
    case 'RunReopened':
      return describeReopening(event);
    case 'RunPaused':
      return `${event.data.reason}: ${event.data.message}`;
    case 'RunFinished':
      return event.data.outcome;
    case 'RunCancelled':
    case 'PauseRequested':
    case 'CancelRequested':
      return event.data.message;
    case 'DistisetWritten': {
      const { asOf, directory, configs } = event.data;
      return `as of ${asOf.position} to ${directory}: ${configs.map(({ name, rows }) => `${name} ${formatCount(rows)} rows`).join(', ')}`;
    }
    case 'LateResult':
      return `${formatCount(event.data.rows)} rows arrived after the driver had lost the run`;
    default:
      return '';
  }
}

/** Describes what changed in a step. */
export const describeChange = ({ step, kind, parts }: Omit<StepChange, 'signature'>): string =>
  kind === 'changed' ? `${step}: ${parts.join(', ')} changed` : `${step}: ${kind}`;
