import { createHash, hash, type Hash } from 'node:crypto';

/** A SHA-256 digest as 64 lower-case hexadecimal digits. */
export type Sha256 = string;

/** The SHA-256 of some bytes, or of a text's UTF-8. */
export const sha256 = (data: string | Uint8Array): Sha256 => hash('sha256', data, 'hex');

/** A hash that is fed piece by piece. */
export const sha256Stream = (): Hash => createHash('sha256');
