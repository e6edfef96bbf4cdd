export { thisActor } from './actor.ts';
export { exportDistiset, type ExportOptions } from './export-distiset.ts';
export { program } from './program.ts';
export { retryPipeline, type RetryOptions } from './retry-pipeline.ts';
export { resumePipeline, startPipeline, type EngineOptions, type NewRunOptions } from './run-pipeline.ts';
