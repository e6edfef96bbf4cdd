import type { RunnableStep } from '../pipeline/index.ts';
import type { BatchTask } from '../scheduler/index.ts';

/** A batch task with its step's functions in place of the step's name. */
export interface RunnableTask extends Omit<BatchTask, 'step'> {
  readonly step: RunnableStep;
}
