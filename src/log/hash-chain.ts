import type { Instant } from '../kit/instant.ts';
import { sha256, type Sha256 } from '../kit/sha256.ts';
import type { EncodedEvent } from './encoded-event.ts';

// Each field is hashed with its length before it, so that two lists of fields never give the same bytes. The database computes the same hashes from
// what it stores (schema/migrations/0001-log.sql). Every append is compared with them, and `verify` computes them again.

/** The hash of a log without events. */
export const emptyHash: Sha256 = '';

/** Returns the hash of one event. It covers all its columns and the bytes of its data. */
export function leafHash(event: EncodedEvent): Sha256 {
  return digest([event.type, event.version, event.pass, event.step, event.batch, event.attempt, event.chunks.join(','), event.data]);
}

/** Returns the hash of the events of one append, in order. */
export function rootHash(leaves: readonly Sha256[]): Sha256 {
  return sha256(Buffer.from(leaves.join(''), 'hex'));
}

/** The fields of an append that its hash covers. */
export interface ChainLink {
  readonly previous: Sha256;
  readonly root: Sha256;
  readonly logId: string;
  readonly first: number;
  readonly last: number;
  readonly recordedAt: Instant;
  readonly clock: Instant;
  readonly appendId: string;
  readonly epoch: number;
  readonly writer: string;
}

/** Returns the hash of one append. Through `previous` it covers everything before it too. Times are in microseconds. */
export function chainHash(link: ChainLink): Sha256 {
  return digest([
    link.previous,
    link.root,
    link.logId,
    link.first,
    link.last,
    link.recordedAt,
    link.clock,
    link.appendId,
    link.epoch,
    link.writer,
  ]);
}

/** Bytes before each field: its length, or -1 for null, which has no bytes. */
const lengthBytes = 8;
/** Maximum UTF-8 bytes of a UTF-16 code unit. */
const unitBytesMax = 3;
const numberBytesMax = 32;
/** Large enough for all but the largest events. A driver hashes each event that it appends, so one buffer is reused. */
const scratch = Buffer.allocUnsafe(64 * 1024);

function digest(fields: readonly (string | number | null)[]): Sha256 {
  let bytesMax = 0;
  for (const field of fields) bytesMax += lengthBytes + (typeof field === 'string' ? field.length * unitBytesMax : numberBytesMax);
  const buffer = bytesMax <= scratch.length ? scratch : Buffer.allocUnsafe(bytesMax);
  let at = 0;
  for (const field of fields) {
    const length = field === null ? -1 : buffer.write(String(field), at + lengthBytes);
    buffer.writeInt32BE(length < 0 ? -1 : 0, at);
    buffer.writeInt32BE(length, at + lengthBytes / 2);
    at += lengthBytes + Math.max(0, length);
  }
  return sha256(buffer.subarray(0, at));
}
