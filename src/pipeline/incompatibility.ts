import type { StepChange } from '../../schema/index.ts';

/** Returns why a started run cannot continue with a changed definition, or null. The columns and batches of stored rows cannot change. */
export function incompatibility(changes: readonly StepChange[]): string | null {
  for (const { step, kind, parts } of changes) {
    if (kind === 'added' || kind === 'removed') return `step ${step} was ${kind}`;
    if (parts.includes('key')) return `step ${step} has a different key`;
    const fixed = parts.find((part) => part === 'columns' || part === 'operator' || part === 'options');
    if (fixed)
      return `step ${step} has other ${fixed === 'operator' ? 'input or another operator' : fixed === 'options' ? 'batches (batchSize) or onError' : 'columns'}`;
  }
  return null;
}
