import { Fault } from '../kit/fault.ts';
import type { Instant } from '../kit/instant.ts';
import type { Sha256 } from '../kit/sha256.ts';
import type { AppendRequest } from './event-log.ts';
import { chainHash, emptyHash, rootHash } from './hash-chain.ts';

/** What a store answers to an append, as far as its hash covers it. Times in microseconds. */
export interface AnsweredAppend {
  /** The hash that the append follows. Only a side log, which has many writers, says it: of a run's log its driver knows it. */
  readonly previous: Sha256;
  readonly first: number;
  readonly last: number;
  readonly recordedAt: Instant;
  readonly clock: Instant;
  readonly epoch: number;
  readonly hash: Sha256;
}

/** Computes the hash of an append from what was sent, and compares it with the store's answer. Throws `Fault('hash-mismatch')`. */
export function requireSameHash(request: AppendRequest, leaves: readonly Sha256[], answer: AnsweredAppend): void {
  const { logId, epoch, expectedHash, appendId, writer } = request;
  const previous = epoch === null ? answer.previous : (expectedHash ?? emptyHash);
  const { hash, ...link } = answer;
  if (chainHash({ ...link, previous, root: rootHash(leaves), logId, appendId, writer }) === hash) return;
  throw hashMismatch(logId, `positions ${answer.first} to ${answer.last} were stored with another hash than they were sent with`);
}

/** Says that a store does not keep what it is given: whatever would be computed from now on would be lost. */
export const hashMismatch = (logId: string, what: string, cause?: unknown): Fault =>
  new Fault(
    'hash-mismatch',
    `Log ${logId}: ${what}. Something changes what is stored on its way to the table, so nothing more is computed. Run distilog db status: it names what is not as distilog made it. Then distilog verify.`,
    { details: { log: logId }, ...(cause === undefined ? {} : { cause }) },
  );
