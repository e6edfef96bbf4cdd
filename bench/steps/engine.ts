/** An engine for workflows of durable steps. */
export interface Engine {
  /** Creates the tables in an empty database, and opens the engine. */
  readonly open: (options: EngineOptions) => Promise<OpenEngine>;
}

export interface EngineOptions {
  readonly url: string;
  /** Number of concurrent workflows. */
  readonly concurrency: number;
}

export interface OpenEngine {
  /** Runs workflows of four steps that do nothing. Returns the milliseconds, without the time to queue workflows before they start. */
  readonly run: (workflows: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Names of a workflow's steps. */
export const stepNames = ['step-1', 'step-2', 'step-3', 'step-4'] as const;
