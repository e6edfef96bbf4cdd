// The public API: define pipelines, run and resume them, look at them as of any position.
export {
  createDistiset,
  losses,
  rowAt,
  traceRow,
  verifyDistiset,
  type Distiset,
  type DistisetConfig,
  type DistisetOptions,
  type FailedBatch,
  type LostRow,
  type TraceStep,
  type VerifiedDistiset,
  type WrittenDistiset,
} from './distiset/index.ts';
export {
  exportDistiset,
  handleUnhandledErrors,
  resumePipeline,
  retryPipeline,
  startPipeline,
  type EngineOptions,
  type ExportOptions,
  type NewRunOptions,
  type RetryOptions,
} from './engine/index.ts';
export type { FaultCode } from './faults/index.ts';
export { Fault, hasCode } from './kit/fault.ts';
export type { Json, JsonObject } from './kit/json.ts';
export {
  checkSnapshots,
  follow,
  foldAt,
  memoryStore,
  parseAsOf,
  resolveAsOf,
  verify,
  type AsOf,
  type CheckedSnapshots,
  type EventLog,
  type Store,
  type Verified,
} from './log/index.ts';
export {
  NonRetryableError,
  pipeline,
  plan,
  renamed,
  resource,
  RetryableError,
  secret,
  step,
  type BatchStep,
  type Columns,
  type Context,
  type FilterStep,
  type FlatMapStep,
  type GlobalStep,
  type Log,
  type MapBatchStep,
  type MapStep,
  type Node,
  type Pipeline,
  type Plan,
  type ReadContext,
  type Resource,
  type RouteStep,
  type RowsOf,
  type SourceStep,
  type StepOptions,
  type Usage,
} from './pipeline/index.ts';
export { migrate, openPostgresStore, openStore, type PostgresStore } from './postgres/index.ts';
export { errors, graph, progress, projections, timeline, usage } from '../projections/index.ts';
export type { RowName } from './rows/index.ts';
export { cancelRun, type DrivenRun, type Rest, type StopWish } from './scheduler/index.ts';
export type { EventType, NewEvent, RecordedEvent } from '../schema/index.ts';
export { csv, jsonl, parquet, type CsvOptions, type JsonlOptions, type ParquetOptions } from './steps/index.ts';
