export { beginning, createDistiset, type Distiset, type DistisetConfig, type DistisetOptions } from './create-distiset.ts';
export { losses, type FailedBatch, type LostRow } from './losses.ts';
export { leafState, type LeafState } from './leaf-state.ts';
export { rowAt, traceRow, type TraceStep } from './trace-row.ts';
export { readMetadata, verifyDistiset, type VerifiedDistiset } from './verify-distiset.ts';
export { writeDistiset, type WriteOptions, type WrittenDistiset } from './write-distiset.ts';
export type { DistisetMetadata } from './writers/metadata.ts';
export type { Compression, Format } from './writers/row-file.ts';
