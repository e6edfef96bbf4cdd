import { findRetryObstacle, type RetryObstacle } from '../../projections/index.ts';
import { formatCount } from './numbers.ts';
import type { RunStates } from '../views/index.ts';

type States = Pick<RunStates, 'graph' | 'progress'>;

/**
 * Says what becomes of rows that steps had rejected when they paused the run because of that: a sentence for each such step. Empty where no step did, or
 * where all is settled.
 */
export function rejectedBeforePause({ graph, progress }: States): readonly string[] {
  const { paused } = graph;
  return graph.order.flatMap((name) => {
    const isPausing = paused?.reason === 'reject-limit' && paused.step === name;
    const count = progress.steps[name]?.rows.rejected ?? 0;
    const until = graph.steps[name]?.owedUntil;
    if (until !== undefined) {
      const which = isPausing
        ? `${rows(count)} that step ${name} rejected ${count === 1 ? 'is' : 'are'}`
        : `Rows that step ${name} rejected up to position ${formatCount(until)} are`;
      return [`${which} tried again in a new pass, when the resumed run has come to its end.`];
    }
    if (!isPausing || count === 0) return [];
    const why = findRetryObstacle(graph, name);
    return [
      `${rows(count)} that step ${name} rejected ${count === 1 ? 'stays' : 'stay'} rejected: ${why ? reasons[why.kind](why) : 'its step is over'}.`,
    ];
  });
}

const rows = (count: number): string => (count === 1 ? '1 row' : `${formatCount(count)} rows`);

const reasons: { readonly [K in RetryObstacle['kind']]: (why: RetryObstacle) => string } = {
  source: () => "a source's rows were never stored",
  merged: (why) => `step ${why.kind === 'merged' ? why.step : ''} below it makes rows of many together`,
};
