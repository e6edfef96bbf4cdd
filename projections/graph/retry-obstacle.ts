import type { GraphState } from './state.ts';

/** The reason why a step's rows cannot be tried again in a later pass. */
export type RetryObstacle =
  /** A source's rows were never stored. */
  | { readonly kind: 'source' }
  /** A step below computes rows from many rows together. With more input it would give other rows, and the dataset already has the first ones. */
  | { readonly kind: 'merged'; readonly step: string };

/** Returns the reason why a step's rejected rows cannot be tried again in a later pass, or null if they can. */
export function findRetryObstacle({ steps, order }: GraphState, from: string): RetryObstacle | null {
  if (steps[from]?.plan.upstream.length === 0) return { kind: 'source' };
  const below = new Set([from]);
  for (const name of order) {
    const step = steps[name];
    if (!step?.plan.upstream.some((upstream) => below.has(upstream))) continue;
    below.add(name);
    if (step.plan.operator === 'global' || step.plan.operator === 'batch') return { kind: 'merged', step: name };
  }
  return null;
}
