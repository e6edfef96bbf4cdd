import { createHash, hash, type Hash } from 'node:crypto';

/** A SHA-256 digest as 64 lower-case hexadecimal digits. */
export type Sha256 = string;

/** Returns the SHA-256 of bytes, or of a text in UTF-8. */
export const sha256 = (data: string | Uint8Array): Sha256 => hash('sha256', data, 'hex');

/** Returns a SHA-256 hash that takes its input piece by piece. */
export const sha256Stream = (): Hash => createHash('sha256');
