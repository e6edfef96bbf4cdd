import { noUsage, plus } from '#projections';
import type { Usage } from '#schema';
import type { Usage as ReportedUsage } from '#pipeline';

/** Adds up what calls consume, by model, until it is told in an event. */
export class UsageMeter {
  #models = new Map<string, Usage>();

  /** One call's consumption, as a step reports it. What is not a number at or above zero counts as nothing. */
  add(reported: ReportedUsage): void {
    const { model = '', inputTokens, outputTokens, cachedTokens, reasoningTokens, costUsd } = reported;
    const usage: Usage = {
      model,
      calls: 1,
      inputTokens: amount(inputTokens),
      outputTokens: amount(outputTokens),
      cachedTokens: amount(cachedTokens),
      reasoningTokens: amount(reasoningTokens),
      costUsd: amount(costUsd),
    };
    this.#models.set(model, plus(this.#models.get(model) ?? noUsage(model), usage));
  }

  /** What came together since it was last taken. */
  take(): readonly Usage[] {
    const usages = [...this.#models.values()];
    this.#models = new Map();
    return usages;
  }
}

const amount = (value: number | undefined): number => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0);
