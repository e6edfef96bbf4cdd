import { describe, expect, it } from 'vitest';
import { noUsage, totalUsage, usage } from '../../../projections/index.ts';
import type { Usage } from '../../../schema/index.ts';
import { batchFailed, batchProgressed, batchSucceeded, folded } from '../../fixtures/events.ts';

/** Usage with different numbers everywhere, so that none can be mistaken for another. */
const spent = (model: string, times = 1): Usage => ({
  model,
  calls: 1 * times,
  inputTokens: 20 * times,
  outputTokens: 300 * times,
  cachedTokens: 4_000 * times,
  reasoningTokens: 50_000 * times,
  costUsd: 0.25 * times,
  thrownAway: { calls: 6 * times, inputTokens: 70 * times, outputTokens: 800 * times, costUsd: 0.5 * times },
});

describe('usage', () => {
  it('is zero before the first call', () => {
    expect(folded(usage)).toEqual({ steps: {} });
    expect(folded(usage, batchSucceeded('a', 0))).toEqual({ steps: {} });
    expect(totalUsage(folded(usage))).toEqual(noUsage(''));
    expect(noUsage('tiny')).toEqual({ ...spent('tiny', 0) });
  });

  it('is summed by step and model, for failed attempts too', () => {
    const state = folded(
      usage,
      batchProgressed('a', 0, { usage: [spent('tiny')] }),
      batchFailed('a', 0, { usage: [spent('tiny', 2), spent('large')] }),
      batchSucceeded('a', 0, { attempt: 2, usage: [spent('tiny', 4)] }),
      batchSucceeded('b', 0, { usage: [spent('tiny', 8)] }),
    );
    expect(state).toEqual({ steps: { a: { tiny: spent('tiny', 7), large: spent('large') }, b: { tiny: spent('tiny', 8) } } });
    expect(totalUsage(state)).toEqual(spent('', 16));
  });
});
