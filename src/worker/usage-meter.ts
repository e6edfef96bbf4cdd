import { noUsage, addUsage } from '../../projections/index.ts';
import type { Call, Usage } from '../../schema/index.ts';
import { storableMessage } from '../../schema/index.ts';
import type { Usage as ReportedUsage } from '../pipeline/index.ts';

/** Calls since the last `take`, and their usage by model. */
export interface Consumed {
  readonly usage: readonly Usage[];
  readonly calls: readonly Call[];
}

/** Adds up the usage of calls by model, and keeps each call until an event records it. */
export class UsageMeter {
  readonly #redact: (text: string) => string;
  #models = new Map<string, Usage>();
  #calls: Call[] = [];

  /** `redact` removes secrets from the texts of providers. */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** Adds the usage of one call, as a step reports it. A value that is not a finite number above 0 counts as 0. */
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
    this.#models.set(model, addUsage(this.#models.get(model) ?? noUsage(model), usage));
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

  /** Puts back usage that could not be recorded. The next `take` includes it. */
  putBack({ usage, calls }: Consumed): void {
    for (const entry of usage) this.#models.set(entry.model, addUsage(entry, this.#models.get(entry.model) ?? noUsage(entry.model)));
    this.#calls = [...calls, ...this.#calls];
  }

  /** Number of calls that no `take` has returned yet. */
  get unrecorded(): number {
    return this.#calls.length;
  }

  /** Takes the calls and their usage since the last `take`. */
  take(): Consumed {
    const consumed = { usage: [...this.#models.values()], calls: this.#calls };
    this.#models = new Map();
    this.#calls = [];
    return consumed;
  }
}

const amount = (value: number | undefined): number => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0);
