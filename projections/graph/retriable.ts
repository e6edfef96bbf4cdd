import type { GraphState } from './state.ts';

/** Why rows of a step cannot be tried again in a later pass. */
export type NotRetriable =
  /** A source's rows were never stored. */
  | { readonly kind: 'source' }
  /** A step below makes rows of many together: with more rows it would make others, and those that it made are in the dataset. */
  | { readonly kind: 'merged'; readonly step: string };

/** Why rows that a step rejects cannot be tried again in a later pass, as far as the pipeline says; null: they can. */
export function notRetriable({ steps, order }: GraphState, from: string): NotRetriable | null {
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
