import type { NewEvent, RecordedEvent } from '../../schema/index.ts';
import type { Sha256 } from '../kit/sha256.ts';
import { checkEvent, type CheckedEvent } from './encoded-event.ts';
import { leafHash } from './hash-chain.ts';

/** Somebody who waits for events of theirs to be durable. */
export interface AppendCall {
  readonly events: readonly NewEvent[];
  readonly resolve: (recorded: readonly RecordedEvent[]) => void;
  readonly reject: (error: unknown) => void;
}

/** A call whose events are encoded, once and for all. */
export interface EncodedCall extends AppendCall {
  readonly checked: readonly CheckedEvent[];
  /** The hash of each event, computed here: while a call waits, the server is busy with the flush before. */
  readonly leaves: readonly Sha256[];
  readonly bytes: number;
}

/** Most events, and bytes of their data and of the chunks they bring, in one flush; the events of one call are never torn apart. */
export const flushEventsMax = 500;
export const flushBytesMax = 1024 * 1024;
/** Encoded events, and bytes of their data and chunks, that wait for a flush. Calls beyond that wait for room, as they are. */
export const queuedEventsMax = 20_000;
export const queuedBytesMax = 16 * 1024 * 1024;

/** Calls in the order in which they came, those that wait for room included: nothing overtakes. */
export class AppendQueue {
  readonly #admitted: EncodedCall[] = [];
  #waiting: AppendCall[] = [];
  #events = 0;
  #bytes = 0;

  /** Events that are encoded and wait for a flush. */
  get events(): number {
    return this.#events;
  }

  add(call: AppendCall): void {
    this.#waiting.push(call);
    this.#admit();
  }

  /** Takes off what goes into the next flush; nothing if there is nothing. */
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

  /** Takes everything off. */
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
      const encoded = encodedCall(call);
      if (!encoded) continue;
      this.#admitted.push(encoded);
      this.#events += encoded.checked.length;
      this.#bytes += encoded.bytes;
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count);
  }
}

const bytesOf = ({ encoded, brings }: CheckedEvent): number =>
  brings.reduce((sum, { body }) => sum + body.byteLength, Buffer.byteLength(encoded.data));

/** An event that cannot be encoded is a bug of its caller, and costs nobody else. */
function encodedCall(call: AppendCall): EncodedCall | null {
  try {
    const checked = call.events.map(checkEvent);
    const leaves = checked.map(({ encoded }) => leafHash(encoded));
    return { ...call, checked, leaves, bytes: checked.reduce((sum, each) => sum + bytesOf(each), 0) };
  } catch (error) {
    call.reject(error);
    return null;
  }
}
