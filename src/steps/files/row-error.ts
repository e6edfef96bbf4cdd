/** Rejects one row of a file, in whose place it is yielded. `invalid-line`: the line is not a row. `invalid-value`: a value does not match its column. */
export class RowError extends Error {
  readonly code: 'invalid-line' | 'invalid-value';
  // The fault is in the file, so a stack would not help.
  override readonly stack = '';

  constructor(code: RowError['code'], message: string) {
    super(message);
    this.name = 'RowError';
    this.code = code;
  }
}
