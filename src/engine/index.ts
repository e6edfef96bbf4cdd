export { thisActor } from './actor.ts';
export type { EngineOptions } from './engine-options.ts';
export { exportDistiset, type ExportOptions } from './export-distiset.ts';
export { packageFolder, program } from './program.ts';
export { canRetry, retryPipeline, type RetryOptions } from './retry-pipeline.ts';
export { handleUnhandledErrors } from './unhandled-errors.ts';
export { resumePipeline, startPipeline, type DefinitionOptions, type NewRunOptions } from './run-pipeline.ts';
