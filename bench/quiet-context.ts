import type { CommandContext } from '../src/cli/context.ts';
import { silentTerminal } from '../test/unit/cli/silent-terminal.ts';

/** Returns a context for commands whose output is not wanted. Calls `onLines` with the number of lines that a command prints. */
export function quietContext(onLines: (lines: number) => void): CommandContext {
  const print = (text: string | readonly string[]) => onLines([text].flat().join('\n').split('\n').length);
  return {
    terminal: silentTerminal({ print, printText: print }),
    exit: () => undefined,
    onInterrupt: () => undefined,
    goOnWithoutOutput: () => undefined,
  };
}
