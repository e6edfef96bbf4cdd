import type { GraphState, OpenBatch, StepState } from '../../projections/index.ts';

/** An open batch of a step, with its number. */
export type NumberedBatch = readonly [batch: number, open: OpenBatch];

/** Returns the state of a step that the graph has. */
export const stepOf = (graph: GraphState, name: string): StepState => graph.steps[name] as StepState;

/** Returns whether a batch no longer counts, because its step ended below it. */
export const isMoot = (step: StepState, batch: number): boolean => step.end !== null && batch >= step.end;

/** Returns the open batches of a step that still count, ascending. */
export function openBatches(step: StepState): readonly NumberedBatch[] {
  const batches: NumberedBatch[] = [];
  for (const [key, open] of Object.entries(step.open)) {
    const batch = Number(key);
    if (!isMoot(step, batch)) batches.push([batch, open]);
  }
  return batches;
}

/** Returns whether an attempt at the batch is under way. */
export const isRunning = ({ state }: OpenBatch): boolean => state === 'running';

/** Returns whether an attempt at any batch of the run is under way. */
export const isAnythingRunning = (graph: GraphState): boolean =>
  graph.order.some((name) => openBatches(stepOf(graph, name)).some(([, open]) => isRunning(open)));
