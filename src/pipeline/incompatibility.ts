import type { StepChange } from '../../schema/index.ts';

/** Why a run that has begun cannot go on with a definition, or null. Rows that are stored have the columns and batches that they have. */
export function incompatibility(changes: readonly StepChange[]): string | null {
  for (const { step, kind, parts } of changes) {
    if (kind === 'added' || kind === 'removed') return `step ${step} was ${kind}`;
    if (parts.includes('key')) return `step ${step} has another key`;
    const fixed = parts.find((part) => part === 'columns' || part === 'operator' || part === 'options');
    if (fixed)
      return `step ${step} has other ${fixed === 'operator' ? 'input or another operator' : fixed === 'options' ? 'batches (batchSize) or onError' : 'columns'}`;
  }
  return null;
}
