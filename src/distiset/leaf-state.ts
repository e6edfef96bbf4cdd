import type { GraphState, StepState } from '../../projections/index.ts';

/**
 * How complete a leaf is. `finished`: everything that went in came through, here and above. `partial`: finished, with losses, or its run was cancelled.
 * `failed`: a batch of it was given up and ended it. `blocked`: a step above it failed; what came before that is there.
 */
export type LeafState = 'not-started' | 'running' | 'finished' | 'partial' | 'failed' | 'blocked';

/** The state of a leaf in a graph. */
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

/** A step and everything above it, nearest first. */
export function ancestry(graph: GraphState, name: string): readonly (readonly [string, StepState])[] {
  const found = new Map<string, StepState>();
  const visit = (each: string): void => {
    const step = graph.steps[each];
    if (!step || found.has(each)) return;
    found.set(each, step);
    step.plan.upstream.forEach(visit);
  };
  visit(name);
  return [...found];
}
