import type { Instant } from '#kit/instant';
import { sha256Stream, type Sha256 } from '#kit/sha256';
import type { EncodedEvent } from './encoded-event.ts';

// Each field goes in with its length before it, so that no two lists of fields give the same bytes. The database computes the same hashes from what
// it stores (schema/migrations/0001-log.sql); `verify` recomputes them here.

/** The hash of a log without events. */
export const emptyHash: Sha256 = '';

/** Covers one event: all its columns and the bytes of its data. */
export function leafHash(event: EncodedEvent): Sha256 {
  return digest([event.type, event.version, event.pass, event.step, event.batch, event.attempt, event.chunks.join(','), event.data]);
}

/** Covers the events of one append, in order. */
export function rootHash(leaves: readonly Sha256[]): Sha256 {
  return sha256Stream()
    .update(Buffer.from(leaves.join(''), 'hex'))
    .digest('hex');
}

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

/** Covers one append and, through `previous`, everything before it. Times in microseconds. */
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

function digest(fields: readonly (string | number | null)[]): Sha256 {
  const hash = sha256Stream();
  for (const field of fields) {
    const bytes = field === null ? null : Buffer.from(String(field), 'utf8');
    const length = Buffer.alloc(8);
    length.writeBigInt64BE(BigInt(bytes === null ? -1 : bytes.length));
    hash.update(length);
    if (bytes) hash.update(bytes);
  }
  return hash.digest('hex');
}
