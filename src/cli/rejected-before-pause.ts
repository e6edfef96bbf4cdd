import { findRetryObstacle, type RetryObstacle } from '../../projections/index.ts';
import { formatCount } from './numbers.ts';
import type { RunStates } from '../views/index.ts';

type States = Pick<RunStates, 'graph' | 'progress'>;

/**
 * Returns one sentence per step that paused the run by its reject limit: it says what happens to the rows that the step had rejected. Empty if no step did,
 * or if all such rows are settled.
 */
export function describeRejectedBeforePause({ graph, progress }: States): readonly string[] {
  const { paused } = graph;
  return graph.order.flatMap((name) => {
    const isPausing = paused?.reason === 'reject-limit' && paused.step === name;
    const count = progress.steps[name]?.rows.rejected ?? 0;
    const until = graph.steps[name]?.owedUntil;
    if (until !== undefined) {
      const which = isPausing
        ? `${rows(count)} that step ${name} rejected ${count === 1 ? 'is' : 'are'}`
        : `Rows that step ${name} rejected up to position ${formatCount(until)} are`;
      return [`${which} retried in a new pass at the end of the resumed run.`];
    }
    if (!isPausing || count === 0) return [];
    const why = findRetryObstacle(graph, name);
    return [`${rows(count)} that step ${name} rejected cannot be retried: ${why ? reasons[why.kind](why) : 'the step has finished'}.`];
  });
}

const rows = (count: number): string => (count === 1 ? '1 row' : `${formatCount(count)} rows`);

const reasons: { readonly [K in RetryObstacle['kind']]: (why: RetryObstacle) => string } = {
  source: () => 'rows that a source rejects are not stored',
  merged: (why) => `step ${why.kind === 'merged' ? why.step : ''} below it combines many rows`,
};
