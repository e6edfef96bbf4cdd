import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Where a command writes, and what that place can show. */
export interface Terminal {
  /** The result: standard output, which may be a pipe. */
  print(line: string): void;
  /** What is not the result: progress, notes, errors. */
  note(line: string): void;
  readonly isInteractive: boolean;
  /** Characters in a line; 100 where there is no terminal to ask. */
  readonly width: number;
  /** Colours, unless the output is no terminal or NO_COLOR is set. */
  paint(style: Style, text: string): string;
}

/** Lines are no longer than this where nobody says how wide they may be. */
const defaultWidth = 100;

/** This process's terminal. A pipe that is closed early (`| head`) ends the command quietly. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const hasColour = (process.env['NO_COLOR'] ?? '') === '' && (stdout.isTTY || (process.env['FORCE_COLOR'] ?? '') !== '');
  return {
    print: (line) => void write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    isInteractive: stdout.isTTY,
    get width() {
      return stdout.columns || defaultWidth;
    },
    paint: (style, text) => (hasColour ? styleText(style, text, { validateStream: false }) : text),
  };
}
