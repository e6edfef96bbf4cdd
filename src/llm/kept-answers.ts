/** Answers to one row, by their number; null: not had yet. */
export type Answers = readonly (string | null)[];

/** Characters of answers that are kept in all. */
const charactersMax = 16 * 1024 * 1024;

/**
 * Answers to rows of which another one failed: the row's next attempt asks for that one only, and nothing is paid for twice. Forgets the oldest when there
 * are too many, and everything with the process: then the row is asked for anew.
 */
export class KeptAnswers {
  readonly #rows = new Map<string, Answers>();
  #characters = 0;

  /** Takes what is kept for a row out. */
  take(row: string): Answers {
    const answers = this.#rows.get(row) ?? [];
    this.#rows.delete(row);
    this.#characters -= lengthOf(answers);
    return answers;
  }

  keep(row: string, answers: Answers): void {
    this.take(row);
    this.#rows.set(row, answers);
    this.#characters += lengthOf(answers);
    for (const oldest of this.#rows.keys()) {
      if (this.#characters <= charactersMax) break;
      this.take(oldest);
    }
  }
}

const lengthOf = (answers: Answers): number => answers.reduce((sum, answer) => sum + (answer?.length ?? 0), 0);
