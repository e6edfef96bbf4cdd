// Every bound of what is written has a name. Raising one is safe; lowering one is not, for yesterday's logs still have to parse.

/**
 * An event's data, as canonical JSON in UTF-8 bytes: room for the manifest of a thousand steps, the chunks of a million rows that one batch makes, and the
 * hundred thousand batches that a new pass may name. Lists of rejections and of calls that are longer than a few go to a chunk.
 */
export const eventBytesMax = 4 * 1024 * 1024;
/** An error message in an event, in UTF-16 code units. */
export const messageLengthMax = 4 * 1024;
/** A stack in an event, in UTF-16 code units. */
export const stackLengthMax = 8 * 1024;
/** Rejections written into the event itself, in bytes of their JSON; more of them go to a chunk. */
export const rejectionBytesInlineMax = 64 * 1024;
/** Rows in a chunk. */
export const chunkRowsMax = 1_000;
/** Bytes of a chunk's uncompressed encoding, unless a single row is larger. */
export const chunkBytesMax = 8 * 1024 * 1024;
/** Bytes that a chunk may unpack to, whatever it claims: a pipeline's definition with its files is the largest that is written. */
export const chunkUnpackedMax = 256 * 1024 * 1024;
/** Bytes of one row's encoding: a larger row is rejected. */
export const rowBytesMax = 16 * 1024 * 1024;
/** Columns that a step's rows had and nobody declared, named in the log for each step. */
export const undeclaredMax = 100;
/** Length of a pipeline's, step's or column's name. */
export const nameLengthMax = 64;
/** Steps in a pipeline. */
export const stepsMax = 1_000;
/** Packages that a run's code reached, and names that its files import, which are listed; more of them count together. */
export const loadedMax = 500;
