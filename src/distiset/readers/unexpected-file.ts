/** Thrown for a file that distilog did not write. The message continues after the file's name. */
export class UnexpectedFile extends Error {
  override readonly name = 'UnexpectedFile';
}
