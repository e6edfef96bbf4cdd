import { kindOfFault } from '../faults/index.ts';
import { isAssertionError } from '../kit/assert.ts';
import { describeThrown, isInstance } from '../kit/describe-thrown.ts';
import { isFault } from '../kit/fault.ts';

/** Asks for a report. `npm bugs` opens the page of the package where they are collected. */
const reportRequest =
  'This is a bug in distilog. Report it with the lines above and the command that you ran; npm bugs distilog opens the page.';

/** Returns what a command prints of a thrown value: a fault's sentence, or a bug's stack and a request to report it. */
export const explainError = (error: unknown): string =>
  isFault(error) && kindOfFault(error.code) !== 'bug' ? describeThrown(error).message : explainBug(error);

/** Returns what is printed of an error that nothing awaited. It stems from a pipeline's own code, unless one of our assertions failed. */
export function explainUnhandled(error: unknown): string {
  if (isAssertionError(error)) return explainBug(error);
  const { message, stack } = describeThrown(error);
  return isInstance(error, TypeError) && stack !== '' ? stack : message;
}

function explainBug(error: unknown): string {
  const { message, stack } = describeThrown(error);
  return `${stack === '' ? message : stack}\n${reportRequest}`;
}
