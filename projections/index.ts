export { projections, nameStates, type RunStates } from './projections.ts';
export { errors, type ErrorGroup, type ErrorsState } from './errors.ts';
export { graph, lossesMax } from './graph/graph.ts';
export {
  isDone,
  isSettled,
  type GraphState,
  type OpenBatch,
  type StepPlan,
  type StepState,
  type Waiting,
} from './graph/state.ts';
export { findRetryObstacle, type RetryObstacle } from './graph/retry-obstacle.ts';
export { isArrived, isOver } from './graph/settle.ts';
export { progress, rowsPerSecond, type ProgressState, type StepProgress } from './progress.ts';
export { fold, projection, type Projection } from './projection.ts';
export { parseInstant, type Instant } from './instant.ts';
export { describeReopening, timeline, type TimelineEntry, type TimelineState } from './timeline.ts';
export { addUsage, noUsage, totalUsage, usage, type UsageState } from './usage.ts';
