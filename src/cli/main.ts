import { CommanderError } from 'commander';
import { handleUnhandledErrors } from '../engine/index.ts';
import { isInstance } from '../kit/describe-thrown.ts';
import { createCommandLine } from './command-line.ts';
import type { CommandContext } from './context.ts';
import { errorLabel, explainError, explainUnhandled } from './explain-error.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { describeLostOutput } from './output.ts';
import { processTerminal } from './terminal.ts';

/** Number of signals that end the process at once. */
const signalsMax = 3;

/** Parses arguments, runs a command, and reports an error that it throws as a message and an exit code. */
export async function main(args: readonly string[]): Promise<void> {
  let exitCode = 0;
  let exitCodeOfOutput: number = exitCodes.done;
  let needsOutput = true;
  // Bound now, because `process.exit` is replaced while steps run.
  const exitProcess: typeof process.exit = process.exit.bind(process);
  const leave = () => exitProcess(exitCode === 0 ? exitCodeOfOutput : exitCode);
  const terminal = processTerminal((error) => {
    // EPIPE is not an error: a reader such as `head` closed the pipe because it has read enough.
    if (error.code !== 'EPIPE') {
      exitCodeOfOutput = exitCodes.failed;
      terminal.note(`${terminal.paint('red', 'error:')} ${describeLostOutput(error)}${needsOutput ? '' : ' The run continues.'}`);
    }
    if (needsOutput) leave();
  });
  let handler: ((count: number) => void) | null = null;
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals++;
      if (!handler || signals >= signalsMax) exitProcess(signal === 'SIGINT' ? 130 : 143);
      handler(signals);
    });
  }
  const context: CommandContext = {
    terminal,
    exit: (code) => {
      if (exitCode === 0) exitCode = code;
    },
    onInterrupt: (next) => {
      handler = next;
    },
    goOnWithoutOutput: () => {
      needsOutput = false;
    },
  };
  handleUnhandledErrors((error) => {
    terminal.note(`${terminal.paint('red', errorLabel(error))} ${explainUnhandled(error)}`);
    exitProcess(exitCodeOfError(error));
  });
  try {
    await createCommandLine(context).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (isInstance(error, CommanderError)) exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    else {
      terminal.note(`${terminal.paint('red', errorLabel(error))} ${explainError(error)}`);
      exitCode = exitCodeOfError(error);
    }
  }
  process.exitCode = exitCode === 0 ? exitCodeOfOutput : exitCode;
  // Ends the process even if a step left something open: a timer, a socket, a call that never settles.
  setTimeout(leave, lingerMs).unref();
}

const lingerMs = 2_000;
