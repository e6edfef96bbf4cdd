import { Fault } from '../kit/fault.ts';
import type { Log } from '../pipeline/index.ts';
import { exitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/**
 * Prevents user code from ending the process or writing to its standard output while a pipeline runs: `process.exit` throws, and printed text goes to
 * standard error. If the process ends nevertheless, for example by an `exit` imported from `node:process`, its exit code is not 0, and a note says why.
 * `consequence` ends that note. Returns a function that restores the original behaviour.
 */
export function containUserCode(consequence: string): () => void {
  const { exit } = process;
  const { write } = process.stdout;
  process.exit = (code?: number) => {
    throw new Fault(
      'process-exit',
      `A step called process.exit(${code ?? ''}). Throw an error instead, so that the row is rejected with a cause.`,
    );
  };
  const onExit = (code: number) => {
    if (code !== exitCodes.done) return;
    process.exitCode = exitCodes.failed;
    process.stderr.write(`error: The pipeline's code ended this process. ${consequence}\n`);
  };
  process.on('exit', onExit);
  process.stdout.write = ((...args: Parameters<typeof process.stderr.write>) =>
    process.stderr.write(...args)) as typeof process.stdout.write;
  return () => {
    process.off('exit', onExit);
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
