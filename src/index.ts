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
} from '#distiset';
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
} from '#engine';
export { Fault, hasCode } from '#kit/fault';
export type { Json, JsonObject } from '#kit/json';
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
} from '#log';
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
} from '#pipeline';
export { migrate, openPostgresStore, openStore, type PostgresStore } from '#postgres';
export { errors, graph, progress, projections, timeline, usage } from '#projections';
export type { RowName } from '#rows';
export { cancelRun, type DrivenRun, type Rest, type StopWish } from '#scheduler';
export type { EventType, NewEvent, RecordedEvent } from '#schema';
export { csv, jsonl, parquet, type CsvOptions, type JsonlOptions, type ParquetOptions } from '#steps';
