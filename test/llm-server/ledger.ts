import { appendFileSync } from 'node:fs';

/** One request as the provider bills it. */
export interface LedgerEntry {
  readonly at: number;
  readonly model: string;
  /** The SHA-256 of what was asked, the same for every try. */
  readonly key: string;
  /** Which try it was, from 1. */
  readonly attempt: number;
  /** `answered`, or the fault. */
  readonly outcome: string;
  readonly status: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Whether the answer got to the client, or the client had gone. */
  readonly wasDelivered: boolean;
}

/** Everything that was ever asked. With a file, also what processes before this one were asked. */
export class Ledger {
  readonly entries: LedgerEntry[] = [];
  readonly #file: string | undefined;

  constructor(file?: string) {
    this.#file = file;
  }

  add(entry: LedgerEntry): void {
    this.entries.push(entry);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
