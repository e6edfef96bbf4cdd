import { Fault } from '../kit/fault.ts';
import type { Log } from '../pipeline/index.ts';
import type { Terminal } from './terminal.ts';

/**
 * Prevents user code from ending the process or writing to its standard output while a pipeline runs: `process.exit` throws, and printed text goes to
 * standard error. Returns a function that restores both.
 */
export function containUserCode(): () => void {
  const { exit } = process;
  const { write } = process.stdout;
  process.exit = (code?: number) => {
    throw new Fault(
      'process-exit',
      `A step called process.exit(${code ?? ''}). Throw an error instead, so that the row is rejected with a cause.`,
    );
  };
  process.stdout.write = ((...args: Parameters<typeof process.stderr.write>) =>
    process.stderr.write(...args)) as typeof process.stdout.write;
  return () => {
    process.exit = exit;
    process.stdout.write = write;
  };
}

/** Returns loggers for steps that write lines to standard error. */
export const createStepLog =
  (terminal: Terminal, note: (line: string) => void) =>
  (step: string): Log => {
    const line = (level: string, message: string, data: unknown) =>
      note(`${terminal.paint('dim', `[${step || 'run'}]`)} ${level}${message}${data === undefined ? '' : ` ${JSON.stringify(data)}`}`);
    return {
      info: (message, data) => line('', message, data),
      warn: (message, data) => line('warning: ', message, data),
    };
  };
