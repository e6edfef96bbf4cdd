export { batchChunks, callsOf, checkpointsOf, rejectionsOf, type ChunkEvent } from './batch-chunks.ts';
export { bytesOf, columnsOf, rowBuilder, rowsOf, type View } from './batch-view.ts';
export { BoundedCache } from './bounded-cache.ts';
export { cacheChunks } from './chunk-cache.ts';
export {
  ChunkBuilder,
  decodeChunk,
  decodeDocument,
  documentChunk,
  encodeValues,
  rowBytes,
  type BuiltChunk,
  type DecodedChunk,
} from './chunk-codec.ts';
export { keyText } from './origins.ts';
export { rejectedBatches, rejectedRows, rejectedRowsReader, type RejectedRow } from './rejected-rows.ts';
export type { BatchName, RowName } from './batch-name.ts';
export { rowReader, type RowReader } from './row-reader.ts';
export { SuccessLookup } from './success-lookup.ts';
