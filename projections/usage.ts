import type { Usage } from '../schema/index.ts';
import { own } from './own.ts';
import { projection } from './projection.ts';

export interface UsageState {
  /** By step, then by model (`''` where none was named). */
  readonly steps: Readonly<Record<string, Readonly<Record<string, Usage>>>>;
}

/** What calls consumed, by step and model. Every attempt counts, those that failed or were lost included: they were paid for. */
export const usage = projection<UsageState>({
  name: 'usage',
  version: 2,
  initialState: () => ({ steps: {} }),
  on: {
    BatchProgressed: (state, { step, data }) => added(state, step, data.usage),
    BatchSucceeded: (state, { step, data }) => added(state, step, data.usage),
    BatchFailed: (state, { step, data }) => added(state, step, data.usage),
  },
});

/** The sum over all steps and models. */
export const totalUsage = ({ steps }: UsageState): Usage =>
  Object.values(steps)
    .flatMap((models) => Object.values(models))
    .reduce((sum, each) => plus({ ...sum, model: '' }, each), noUsage(''));

/** No calls of a model. */
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

/** Two usages of one model, added. */
export const plus = (a: Usage, b: Usage): Usage => ({
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

function added(state: UsageState, step: string, usages: readonly Usage[]): UsageState {
  if (usages.length === 0) return state;
  let models = own(state.steps, step) ?? {};
  for (const each of usages) models = { ...models, [each.model]: plus(own(models, each.model) ?? noUsage(each.model), each) };
  return { steps: { ...state.steps, [step]: models } };
}
