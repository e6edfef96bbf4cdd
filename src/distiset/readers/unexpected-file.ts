/** Says why a file is not one that distilog wrote. The message goes on from the file's name. */
export class UnexpectedFile extends Error {
  override readonly name = 'UnexpectedFile';
}
