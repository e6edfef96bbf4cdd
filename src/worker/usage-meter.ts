import { noUsage, plus } from '../../projections/index.ts';
import type { Call, Usage } from '../../schema/index.ts';
import { storableMessage } from '../../schema/index.ts';
import type { Usage as ReportedUsage } from '../pipeline/index.ts';

/** Calls since they were last taken, and what they consumed, by model. */
export interface Consumed {
  readonly usage: readonly Usage[];
  readonly calls: readonly Call[];
}

/** Adds up what calls consume, by model, and keeps each call, until an event takes it. */
export class UsageMeter {
  readonly #redact: (text: string) => string;
  #models = new Map<string, Usage>();
  #calls: Call[] = [];

  /** `redact` takes secrets out of what providers say. */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** One call's consumption, as a step reports it. What is not a number at or above zero counts as nothing. */
  add(row: number, attempt: number, reported: ReportedUsage): void {
    const { inputTokens, outputTokens, cachedTokens, reasoningTokens, costUsd } = reported;
    const model = storableMessage(this.#redact(reported.model ?? ''));
    const { latencyMs, finishReason, thrownAway = false, prompt } = reported;
    const consumed = {
      model,
      inputTokens: amount(inputTokens),
      outputTokens: amount(outputTokens),
      cachedTokens: amount(cachedTokens),
      reasoningTokens: amount(reasoningTokens),
      costUsd: amount(costUsd),
    };
    const spent = { calls: 1, inputTokens: consumed.inputTokens, outputTokens: consumed.outputTokens, costUsd: consumed.costUsd };
    const usage: Usage = { ...consumed, calls: 1, thrownAway: thrownAway ? spent : noUsage(model).thrownAway };
    this.#models.set(model, plus(this.#models.get(model) ?? noUsage(model), usage));
    this.#calls.push({
      ...consumed,
      row,
      attempt,
      latencyMs: latencyMs === undefined ? null : amount(latencyMs),
      finishReason: finishReason === undefined ? null : storableMessage(this.#redact(finishReason)),
      thrownAway,
      prompt: prompt === undefined ? null : this.#redact(prompt),
    });
  }

  /** Puts back what could not be recorded: it is taken with what comes after. */
  giveBack({ usage, calls }: Consumed): void {
    for (const each of usage) this.#models.set(each.model, plus(each, this.#models.get(each.model) ?? noUsage(each.model)));
    this.#calls = [...calls, ...this.#calls];
  }

  /** Number of calls that were not taken yet. */
  get unrecorded(): number {
    return this.#calls.length;
  }

  /** Takes what came together since the last call. */
  take(): Consumed {
    const consumed = { usage: [...this.#models.values()], calls: this.#calls };
    this.#models = new Map();
    this.#calls = [];
    return consumed;
  }
}

const amount = (value: number | undefined): number => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0);
