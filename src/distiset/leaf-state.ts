import type { GraphState, StepState } from '../../projections/index.ts';

/**
 * The completeness of a leaf. `finished`: all rows arrived, without losses in the leaf or above it. `partial`: finished with losses, or the run was cancelled.
 * `failed`: the leaf ended at a batch that was given up. `blocked`: a step above it failed; the rows before the failure are kept.
 */
export type LeafState = 'not-started' | 'running' | 'finished' | 'partial' | 'failed' | 'blocked';

/** Returns the state of a leaf in a graph. */
export function leafState(graph: GraphState, name: string): LeafState {
  const step = graph.steps[name];
  if (!step) return 'not-started';
  if (step.status === 'failed') return 'failed';
  if (step.blocked) return 'blocked';
  if (step.status === 'waiting') return 'not-started';
  const hasLosses = ancestry(graph, name).some(([, { lost }]) => lost > 0);
  if (step.status === 'finished') return hasLosses ? 'partial' : 'finished';
  return graph.status === 'cancelled' ? 'partial' : 'running';
}

/** Lists a step and all steps above it, nearest first. */
export function ancestry(graph: GraphState, name: string): readonly (readonly [string, StepState])[] {
  const found = new Map<string, StepState>();
  const visit = (ancestor: string): void => {
    const step = graph.steps[ancestor];
    if (!step || found.has(ancestor)) return;
    found.set(ancestor, step);
    step.plan.upstream.forEach(visit);
  };
  visit(name);
  return [...found];
}
