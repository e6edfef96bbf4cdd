import { kindOfFault } from '../faults/index.ts';
import { isAssertionError } from '../kit/assert.ts';
import { describeThrown, isInstance } from '../kit/describe-thrown.ts';
import { isFault } from '../kit/fault.ts';

/** Asks the user to report a bug. `npm bugs` opens the issue tracker of a package. */
const reportRequest =
  'This is a bug in distilog. Report it with the lines above and the command that you ran. The command npm bugs distilog opens the issue tracker.';

/** Returns the word before an error's message: `error[unknown-run]:` for a fault, so that its code is found in docs/ERRORS.md, else `error:`. */
export const errorLabel = (error: unknown): string => (isFault(error) ? `error[${error.code}]:` : 'error:');

/** Returns the text that a command prints for a thrown value: a fault's message, or a bug's stack and a request to report it. */
export const explainError = (error: unknown): string =>
  isFault(error) && kindOfFault(error.code) !== 'bug' ? describeThrown(error).message : explainBug(error);

/** Returns the text for an error that no code awaited. It comes from the pipeline's own code, unless one of our assertions failed. */
export function explainUnhandled(error: unknown): string {
  if (isAssertionError(error)) return explainBug(error);
  const { message, stack } = describeThrown(error);
  return isInstance(error, TypeError) && stack !== '' ? stack : message;
}

function explainBug(error: unknown): string {
  const { message, stack } = describeThrown(error);
  return `${stack === '' ? message : stack}\n${reportRequest}`;
}
