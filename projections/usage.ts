import type { Usage } from '../schema/index.ts';
import { getOwn } from './own.ts';
import { projection } from './projection.ts';

/** Usage of a run's calls. */
export interface UsageState {
  /** By step, then by model. A call without a model's name is under `''`. */
  readonly steps: Readonly<Record<string, Readonly<Record<string, Usage>>>>;
}

/** Sums the usage of calls by step and model. Failed and lost attempts count too, because they were paid for. */
export const usage = projection<UsageState>({
  name: 'usage',
  version: 2,
  initialState: () => ({ steps: {} }),
  on: {
    BatchProgressed: (state, { step, data }) => addUsages(state, step, data.usage),
    BatchSucceeded: (state, { step, data }) => addUsages(state, step, data.usage),
    BatchFailed: (state, { step, data }) => addUsages(state, step, data.usage),
  },
});

/** Returns the sum over all steps and models. */
export const totalUsage = ({ steps }: UsageState): Usage =>
  Object.values(steps)
    .flatMap((models) => Object.values(models))
    .reduce((sum, each) => addUsage({ ...sum, model: '' }, each), noUsage(''));

/** Returns the usage of a model that was not called. */
export const noUsage = (model: string): Usage => ({
  model,
  calls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  costUsd: 0,
  thrownAway: { calls: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 },
});

/** Returns the sum of two usages of one model. */
export const addUsage = (a: Usage, b: Usage): Usage => ({
  model: a.model,
  calls: a.calls + b.calls,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cachedTokens: a.cachedTokens + b.cachedTokens,
  reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  costUsd: a.costUsd + b.costUsd,
  thrownAway: {
    calls: a.thrownAway.calls + b.thrownAway.calls,
    inputTokens: a.thrownAway.inputTokens + b.thrownAway.inputTokens,
    outputTokens: a.thrownAway.outputTokens + b.thrownAway.outputTokens,
    costUsd: a.thrownAway.costUsd + b.thrownAway.costUsd,
  },
});

function addUsages(state: UsageState, step: string, usages: readonly Usage[]): UsageState {
  if (usages.length === 0) return state;
  let models = getOwn(state.steps, step) ?? {};
  for (const each of usages) models = { ...models, [each.model]: addUsage(getOwn(models, each.model) ?? noUsage(each.model), each) };
  return { steps: { ...state.steps, [step]: models } };
}
