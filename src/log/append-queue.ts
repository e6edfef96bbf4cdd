import type { NewEvent, RecordedEvent } from '../../schema/index.ts';
import type { Sha256 } from '../kit/sha256.ts';
import { checkEvent, type CheckedEvent } from './encoded-event.ts';
import { leafHash } from './hash-chain.ts';

/** A caller that waits until its events are durable. */
export interface AppendCall {
  readonly events: readonly NewEvent[];
  readonly resolve: (recorded: readonly RecordedEvent[]) => void;
  readonly reject: (error: unknown) => void;
}

/** A call whose events are encoded. They are encoded once. */
export interface EncodedCall extends AppendCall {
  readonly checked: readonly CheckedEvent[];
  /** The hash of each event. It is computed while the call waits, because the server is busy with the previous flush then. */
  readonly leaves: readonly Sha256[];
  readonly bytes: number;
}

/** Maximum events of one flush, and maximum bytes of their data and inline chunks. The events of one call are never split. */
export const flushEventsMax = 500;
export const flushBytesMax = 1024 * 1024;
/** Maximum encoded events that wait for a flush, and maximum bytes of their data and inline chunks. Further calls wait without being encoded. */
export const queuedEventsMax = 20_000;
export const queuedBytesMax = 16 * 1024 * 1024;

/** Calls in order of arrival, including those that wait for room. No call overtakes another. */
export class AppendQueue {
  readonly #admitted: EncodedCall[] = [];
  #waiting: AppendCall[] = [];
  #events = 0;
  #bytes = 0;

  /** Number of encoded events that wait for a flush. */
  get events(): number {
    return this.#events;
  }

  add(call: AppendCall): void {
    this.#waiting.push(call);
    this.#admit();
  }

  /** Removes and returns the calls of the next flush. Returns none if none wait. */
  takeFlush(): readonly EncodedCall[] {
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const call of this.#admitted) {
      if (count > 0 && (events + call.checked.length > flushEventsMax || bytes + call.bytes > flushBytesMax)) break;
      events += call.checked.length;
      bytes += call.bytes;
      count++;
    }
    this.#events -= events;
    this.#bytes -= bytes;
    const taken = this.#admitted.splice(0, count);
    this.#admit();
    return taken;
  }

  /** Removes and returns all calls. */
  takeAll(): readonly AppendCall[] {
    this.#events = 0;
    this.#bytes = 0;
    return [...this.#admitted.splice(0), ...this.#waiting.splice(0)];
  }

  #admit(): void {
    let count = 0;
    for (const call of this.#waiting) {
      if (this.#events >= queuedEventsMax || this.#bytes >= queuedBytesMax) break;
      count++;
      const encoded = encodeCall(call);
      if (!encoded) continue;
      this.#admitted.push(encoded);
      this.#events += encoded.checked.length;
      this.#bytes += encoded.bytes;
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count);
  }
}

const countBytes = ({ encoded, brings }: CheckedEvent): number =>
  brings.reduce((sum, { body }) => sum + body.byteLength, Buffer.byteLength(encoded.data));

/** Encodes a call's events. If one cannot be encoded, which is a bug of the caller, only this call is rejected. */
function encodeCall(call: AppendCall): EncodedCall | null {
  try {
    const checked = call.events.map(checkEvent);
    const leaves = checked.map(({ encoded }) => leafHash(encoded));
    return { ...call, checked, leaves, bytes: checked.reduce((sum, each) => sum + countBytes(each), 0) };
  } catch (error) {
    call.reject(error);
    return null;
  }
}
