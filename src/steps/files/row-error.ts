/** Why one row of a file is rejected; it is yielded in the row's place. `invalid-line`: it is no row at all; `invalid-value`: a value does not fit its column. */
export class RowError extends Error {
  readonly code: 'invalid-line' | 'invalid-value';
  // Nothing is wrong with the code that read it.
  override readonly stack = '';

  constructor(code: RowError['code'], message: string) {
    super(message);
    this.name = 'RowError';
    this.code = code;
  }
}
