import { Fault } from '../kit/fault.ts';
import type { Instant } from '../kit/instant.ts';
import type { Sha256 } from '../kit/sha256.ts';
import type { AppendRequest } from './event-log.ts';
import { chainHash, emptyHash, rootHash } from './hash-chain.ts';

/** The parts of a store's answer to an append that its hash covers. Times are in microseconds. */
export interface AnsweredAppend {
  /** The hash that the append follows. Read for a side log only, which has many writers. A driver knows the previous hash of its run's log. */
  readonly previous: Sha256;
  readonly first: number;
  readonly last: number;
  readonly recordedAt: Instant;
  readonly clock: Instant;
  readonly epoch: number;
  readonly hash: Sha256;
}

/** Computes the hash of an append from the request, and compares it with the store's answer. Throws `Fault('hash-mismatch')`. */
export function requireSameHash(request: AppendRequest, leaves: readonly Sha256[], answer: AnsweredAppend): void {
  const { logId, epoch, expectedHash, appendId, writer } = request;
  const previous = epoch === null ? answer.previous : (expectedHash ?? emptyHash);
  const { hash, ...link } = answer;
  if (chainHash({ ...link, previous, root: rootHash(leaves), logId, appendId, writer }) === hash) return;
  throw hashMismatch(logId, `positions ${answer.first} to ${answer.last} were stored with a hash that differs from the one sent`);
}

/** Returns the fault for a store that changes what it stores. The run must stop, because everything computed from now on would be lost. */
export const hashMismatch = (logId: string, what: string, cause?: unknown): Fault =>
  new Fault(
    'hash-mismatch',
    `Log ${logId}: ${what}. Something changes data on its way to the table, so the run stops. Run distilog db status to find what differs from distilog's own schema, then distilog verify.`,
    { details: { log: logId }, ...(cause === undefined ? {} : { cause }) },
  );
