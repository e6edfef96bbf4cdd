export { errors, type ErrorGroup, type ErrorsState } from './errors.ts';
export { graph, lossesMax } from './graph/graph.ts';
export { isDone, isSettled, type GraphState, type OpenBatch, type StepPlan, type StepState, type Waiting } from './graph/state.ts';
export { isArrived, isOver } from './graph/settle.ts';
export { progress, rowsPerSecond, type ProgressState, type StepProgress } from './progress.ts';
export { fold, projection, type Projection, type ProjectionSpec } from './projection.ts';
export { microseconds } from './time.ts';
export { reopening, timeline, type TimelineEntry, type TimelineState } from './timeline.ts';
export { noUsage, plus, totalUsage, usage, type UsageState } from './usage.ts';
