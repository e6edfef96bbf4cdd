import { catalogue, currentData, eventBytesMax, isEventType, type NewEvent, type RecordedEvent } from '#schema';
import { assert } from '#kit/assert';
import { canonicalJson } from '#kit/json';

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

/** Checks an event against its schema and bound, and writes its bytes. A mistake here is a bug: events are made by this program. */
export function encodeEvent(event: NewEvent): EncodedEvent {
  const entry = catalogue[event.type];
  const parsed = entry.data.safeParse(event.data);
  assert(
    parsed.success,
    `${event.type} does not have the shape of its schema: ${parsed.error?.issues[0]?.path.join('.')} ${parsed.error?.issues[0]?.message}`,
  );
  const data = canonicalJson(parsed.data);
  assert(Buffer.byteLength(data) <= eventBytesMax, `${event.type} is larger than an event may be`);
  const level: { pass?: number; step?: string; batch?: number; attempt?: number } = event as object;
  return {
    type: event.type,
    version: entry.version,
    pass: level.pass ?? null,
    step: level.step ?? null,
    batch: level.batch ?? null,
    attempt: level.attempt ?? null,
    chunks: event.chunks ?? [],
    data,
  };
}

/** What stored columns and bytes say, or why this program cannot tell. */
export function decodeEvent(
  stored: EncodedEvent & { readonly position: number; readonly recordedAt: string },
  logId: string,
): { readonly event: RecordedEvent } | { readonly event: null; readonly reason: string } {
  let data: unknown;
  try {
    data = JSON.parse(stored.data);
  } catch {
    return { event: null, reason: `the data of position ${stored.position} is not JSON` };
  }
  const current = currentData(stored.type, stored.version, data);
  if (!current.known) return { event: null, reason: current.reason };
  assert(isEventType(stored.type), 'what is known is in the catalogue');
  const { pass, step, batch, attempt, position, recordedAt, type, chunks } = stored;
  const base = { logId, position, recordedAt, type, data: current.data, chunks };
  // Written out level by level: a fold goes through thousands of events before anybody sees its state.
  switch (catalogue[stored.type].level) {
    case 'run':
      return { event: base as RecordedEvent };
    case 'step':
      if (pass === null || step === null) return placeless(stored);
      return { event: { ...base, pass, step } as RecordedEvent };
    case 'batch':
      if (pass === null || step === null || batch === null || attempt === null) return placeless(stored);
      return { event: { ...base, pass, step, batch, attempt } as RecordedEvent };
  }
}

const placeless = ({ type, position }: { readonly type: string; readonly position: number }) => ({
  event: null,
  reason: `${type} at position ${position} does not say what it is about`,
});
