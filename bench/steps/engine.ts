/** Somebody who runs workflows of durable steps. */
export interface Engine {
  /** Makes the tables in an empty database, and opens what is needed to run workflows. */
  readonly open: (options: EngineOptions) => Promise<OpenEngine>;
}

export interface EngineOptions {
  readonly url: string;
  /** Workflows under way at once. */
  readonly concurrency: number;
}

export interface OpenEngine {
  /** Runs so many workflows of four steps that do nothing. Returns the milliseconds that steps took: where workflows are queued first, without that. */
  readonly run: (workflows: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Steps of a workflow. */
export const stepNames = ['step-1', 'step-2', 'step-3', 'step-4'] as const;
