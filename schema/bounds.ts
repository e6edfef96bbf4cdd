// Bounds of everything that is written. A bound may be raised. It must never be lowered, because existing logs must still parse.

/**
 * UTF-8 bytes of an event's data as canonical JSON. Enough for the manifest of a thousand steps, the chunks of a million rows from one batch, and the
 * hundred thousand batches that a new pass may name. Longer lists of rejections and of calls are stored in a chunk.
 */
export const eventBytesMax = 4 * 1024 * 1024;
/** An error message in an event, in UTF-16 code units. */
export const messageLengthMax = 4 * 1024;
/** A stack in an event, in UTF-16 code units. */
export const stackLengthMax = 8 * 1024;
/** JSON bytes of the rejections in an event itself. A longer list is stored in a chunk. */
export const rejectionBytesInlineMax = 64 * 1024;
/** Rows in a chunk. */
export const chunkRowsMax = 1_000;
/** Bytes of a chunk's uncompressed encoding, unless a single row is larger. */
export const chunkBytesMax = 8 * 1024 * 1024;
/** Bytes of an uncompressed chunk, whatever length it claims. The largest chunk that is written is a pipeline's definition with its files. */
export const chunkUnpackedMax = 256 * 1024 * 1024;
/** Bytes of one row's encoding. A larger row is rejected. */
export const rowBytesMax = 16 * 1024 * 1024;
/** Undeclared keys of rows that the log lists for each step. */
export const undeclaredMax = 100;
/** Length of a pipeline's, step's or column's name. */
export const nameLengthMax = 64;
/** Steps in a pipeline. */
export const stepsMax = 1_000;
/** Packages and imports of a run's code that are listed. The remaining ones are counted and hashed. */
export const loadedMax = 500;
