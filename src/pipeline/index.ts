export type {
  Awaitable,
  ColumnLiteral,
  Columns,
  Explained,
  HasColumns,
  LacksColumns,
  NotJson,
  OutputOf,
  Renamed,
  Rows,
  Simplify,
  Storable,
} from './columns.ts';
export { resource, type Context, type Log, type ReadContext, type Resource, type Usage } from './context.ts';
export { incompatibility } from './incompatibility.ts';
export type {
  Builder,
  JoinedColumns,
  JoinedPair,
  JoinedRow,
  Leaves,
  Node,
  Nodes,
  ParamsOf,
  Pipeline,
  RowOf,
  RowsOf,
  UnitedPair,
  UnitedRow,
} from './node.ts';
export { envName, parseParams, secretNames } from './params.ts';
export { isPipeline, pipeline } from './pipeline.ts';
export { plan, type Plan, type PlanOptions } from './plan.ts';
export type { PassingRunnable, RowsWiseRunnable, RowWiseRunnable, RunnableStep } from './runnable.ts';
export { rowCheck, type Checked } from './row-check.ts';
export { secret } from './secret.ts';
export { isNonRetryableError, isRetryableError, NonRetryableError, RetryableError } from './step-error.ts';
export {
  renamed,
  step,
  type BatchStep,
  type ColumnNames,
  type FilterStep,
  type FlatMapStep,
  type GlobalStep,
  type MapBatchStep,
  type MapStep,
  type NamedStep,
  type RenamedColumns,
  type RouteStep,
  type SourceMembers,
  type SourceStep,
  type StepMembers,
  type StepOptions,
} from './steps.ts';
