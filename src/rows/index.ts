export { batchChunks, callsOf, rejectionsOf, type TellingEvent } from './batch-chunks.ts';
export { concatenated, rowsOf, type View } from './batch-view.ts';
export { cachedChunks } from './chunk-cache.ts';
export {
  decodeChunk,
  decodeDocument,
  documentChunk,
  encodeChunks,
  encodeValues,
  rowBytes,
  type DecodedChunk,
  type EncodedRow,
} from './chunk-codec.ts';
export { rowReader, type RowReader } from './row-reader.ts';
