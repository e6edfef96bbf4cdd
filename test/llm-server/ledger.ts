import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** One request as the provider bills it. */
export interface LedgerEntry {
  readonly at: number;
  readonly model: string;
  /** The SHA-256 of the question, the same for every attempt. */
  readonly key: string;
  /** The seed that was asked for: other answers to the same have others. */
  readonly seed: number;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** `answered`, or the fault. */
  readonly outcome: string;
  readonly status: number;
  /** The beginning of the body that was sent. */
  readonly answer: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Whether the answer reached the client. False if the client had gone. */
  readonly wasDelivered: boolean;
}

/** Everything that was ever asked: with a file, of the processes before this one too. */
export class Ledger {
  readonly entries: LedgerEntry[] = [];
  readonly #file: string | undefined;

  constructor(file?: string) {
    this.#file = file;
    if (file === undefined || !existsSync(file)) return;
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    this.entries.push(...lines.map((line) => JSON.parse(line) as LedgerEntry));
  }

  add(entry: LedgerEntry): void {
    this.entries.push(entry);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
