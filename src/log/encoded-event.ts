import {
  catalogue,
  checkData,
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

/** An event as it is sent and stored: its columns, and its data as canonical JSON. Columns of levels that it does not have are null. */
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

/** An encoded event, with its data as it will be read and with its inline chunks. */
export interface CheckedEvent {
  readonly encoded: EncodedEvent;
  readonly data: unknown;
  readonly brings: readonly PackedChunk[];
}

/** Checks an event against its schema and size bound, and encodes it. A failure is a bug, because this program creates the events. */
export function checkEvent(event: NewEvent): CheckedEvent {
  const entry = catalogue[event.type];
  const parsed = checkData(entry.data, event.data);
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

/** Checks and encodes an event that has no inline chunks. */
export function encodeEvent(event: NewEvent): EncodedEvent {
  const { encoded, brings } = checkEvent(event);
  assert(brings.length === 0, `${event.type} has inline chunks, but is sent without them`);
  return encoded;
}

/** The log and position of an event, and the time when it was recorded. */
export interface EventLocation {
  readonly logId: string;
  readonly position: number;
  readonly recordedAt: string;
}

/** Decodes a stored event, or returns why this program cannot. */
export function decodeEvent(
  stored: EncodedEvent & Pick<EventLocation, 'position' | 'recordedAt'>,
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
  const event = toRecordedEvent(stored, current.data, { logId, position, recordedAt });
  return event ? { event } : { event, reason: `${type} at position ${position} does not name its step or batch` };
}

/**
 * Returns an event of a known type with its location, or null if it does not name its step or batch. Each level is written out for speed: a fold reads
 * thousands of events before its state is shown.
 */
export function toRecordedEvent(
  { type, pass, step, batch, attempt, chunks }: EncodedEvent,
  data: unknown,
  { logId, position, recordedAt }: EventLocation,
): RecordedEvent | null {
  assert(isEventType(type), 'a known type is in the catalogue');
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
