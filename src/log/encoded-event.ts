import {
  catalogue,
  checkedData,
  currentData,
  eventBytesMax,
  isEventType,
  writtenVersion,
  type NewEvent,
  type PackedChunk,
  type RecordedEvent,
} from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import { canonicalJson } from '../kit/json.ts';

/** An event as it is sent and stored: its columns, and its data as canonical JSON. `null` where a level does not apply. */
export interface EncodedEvent {
  readonly type: string;
  readonly version: number;
  readonly pass: number | null;
  readonly step: string | null;
  readonly batch: number | null;
  readonly attempt: number | null;
  readonly chunks: readonly string[];
  readonly data: string;
}

/** An event as it is sent, its data as it will be read, and the chunks that it brings along. */
export interface CheckedEvent {
  readonly encoded: EncodedEvent;
  readonly data: unknown;
  readonly brings: readonly PackedChunk[];
}

/** Checks an event against its schema and bound, and writes its bytes. A mistake here is a bug: events are made by this program. */
export function checkEvent(event: NewEvent): CheckedEvent {
  const entry = catalogue[event.type];
  const parsed = checkedData(entry.data, event.data);
  assert(
    parsed.success,
    `${event.type} does not have the shape of its schema: ${parsed.error?.issues[0]?.path.join('.')} ${parsed.error?.issues[0]?.message}`,
  );
  const data = canonicalJson(parsed.data);
  assert(Buffer.byteLength(data) <= eventBytesMax, `${event.type} is larger than an event may be`);
  const level: { pass?: number; step?: string; batch?: number; attempt?: number } = event as object;
  const encoded = {
    type: event.type,
    version: writtenVersion(event.type, event.data),
    pass: level.pass ?? null,
    step: level.step ?? null,
    batch: level.batch ?? null,
    attempt: level.attempt ?? null,
    chunks: event.chunks ?? [],
    data,
  };
  return { encoded, data: parsed.data, brings: event.brings ?? [] };
}

/** An event as it is sent, checked; one that names only what is stored already. */
export function encodeEvent(event: NewEvent): EncodedEvent {
  const { encoded, brings } = checkEvent(event);
  assert(brings.length === 0, `${event.type} brings chunks, and is sent without them`);
  return encoded;
}

/** Where an event stands, and when it was recorded. */
export interface RecordedAt {
  readonly logId: string;
  readonly position: number;
  readonly recordedAt: string;
}

/** What stored columns and bytes say, or why this program cannot tell. */
export function decodeEvent(
  stored: EncodedEvent & Pick<RecordedAt, 'position' | 'recordedAt'>,
  logId: string,
): { readonly event: RecordedEvent } | { readonly event: null; readonly reason: string } {
  const { type, version, position, recordedAt } = stored;
  let data: unknown;
  try {
    data = JSON.parse(stored.data);
  } catch {
    return { event: null, reason: `the data of position ${position} is not JSON` };
  }
  const current = currentData(type, version, data);
  if (!current.known) return { event: null, reason: current.reason };
  const event = recordedEvent(stored, current.data, { logId, position, recordedAt });
  return event ? { event } : { event, reason: `${type} at position ${position} does not say what it is about` };
}

/**
 * An event of a known type, with its place; null where its columns do not say what it is about. Written out level by level: a fold goes through
 * thousands of events before anybody sees its state.
 */
export function recordedEvent(
  { type, pass, step, batch, attempt, chunks }: EncodedEvent,
  data: unknown,
  { logId, position, recordedAt }: RecordedAt,
): RecordedEvent | null {
  assert(isEventType(type), 'what is known is in the catalogue');
  const base = { logId, position, recordedAt, type, data, chunks };
  switch (catalogue[type].level) {
    case 'run':
      return base as RecordedEvent;
    case 'step':
      return pass === null || step === null ? null : ({ ...base, pass, step } as RecordedEvent);
    case 'batch':
      if (pass === null || step === null || batch === null || attempt === null) return null;
      return { ...base, pass, step, batch, attempt } as RecordedEvent;
  }
}
