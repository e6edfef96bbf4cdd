import { createLogUpdate } from 'log-update';
import { jsonPieces } from './json-pieces.ts';
import { openOutput, type OutputError } from './output.ts';
import { changeText, resolveMarks, styled, type Style } from './styled-text.ts';
import { visible, visibleJson, visibleText } from './visible.ts';

/**
 * Where a command writes, and what that place can show. All that people read goes through here and is written as visible text: no character of a row, a
 * name or a message acts on the terminal, and none begins a line of its own.
 */
export interface Terminal {
  /** Writes lines of the result to standard output. A line break within one is shown as `\n`. */
  print(lines: string | readonly string[]): void;
  /** Writes text of several lines to standard output: a document, a statement. */
  printText(text: string): void;
  /** Writes a value to standard output as a line of JSON. Its characters are not changed; on a terminal, those that act are written as JSON's escapes. */
  printJson(value: unknown, stringify?: (value: unknown) => string): void;
  /** Writes an object to standard output as a line of JSON, with lists as its last members. Items are written as they come: all may be more than memory holds. */
  printJsonLists(members: Readonly<Record<string, unknown>>, lists: Readonly<Record<string, AsyncIterable<unknown>>>): Promise<void>;
  /** Writes what is not the result to standard error: progress, notes, errors. Lines after the first are indented, so that none looks like another note. */
  note(text: string): void;
  /** Returns lines at the end of standard output that are drawn again and again. */
  openRegion(): Region;
  readonly isInteractive: boolean;
  /** Characters in a line; 100 where there is no terminal to ask. */
  readonly width: number;
  /** Returns text in a style, which an output shows if it can. */
  paint(style: Style, text: string): string;
}

/** Lines that are replaced when they are drawn again. */
export interface Region {
  draw(lines: readonly string[]): void;
  /** Removes the lines, to be drawn again below what is written next. */
  clear(): void;
  /** Leaves the lines where they are. */
  done(): void;
}

/** Width of a line where no terminal has one. */
const widthDefault = 100;
const noteIndent = '  ';

/** Returns this process's terminal. Calls `onLost` once, with what went wrong, when standard output can be written no more; what is printed then is dropped. */
export function processTerminal(onLost: (error: OutputError) => void): Terminal {
  const { stdout, stderr } = process;
  const result = openOutput(stdout, onLost);
  const resultHasColour = hasColour(stdout);
  const isSmart = process.env['TERM'] !== 'dumb';
  const lineOf = (text: string) => resolveMarks(changeText(text, visible), resultHasColour);
  const print = (lines: string | readonly string[]) =>
    result.write(
      [lines]
        .flat()
        .map((line) => `${lineOf(line)}\n`)
        .join(''),
    );
  return {
    print,
    printText: (text) => result.write(`${resolveMarks(changeText(text, visibleText), resultHasColour)}\n`),
    printJson: (value, stringify = JSON.stringify) => {
      const json = stringify(value);
      result.write(`${stdout.isTTY ? visibleJson(json) : json}\n`);
    },
    printJsonLists: async (members, lists) => {
      for await (const piece of jsonPieces(members, lists)) result.write(stdout.isTTY ? visibleJson(piece) : piece);
      result.write('\n');
    },
    note: noteWriter(),
    openRegion: () => {
      // A stream of its own, so that what steps print cannot end up in the middle of the region.
      const stream = Object.create(stdout, { write: { value: result.write } }) as NodeJS.WriteStream;
      const update = createLogUpdate(stream, { showCursor: true });
      return { draw: (lines) => update(lines.map(lineOf).join('\n')), clear: update.clear, done: update.done };
    },
    isInteractive: stdout.isTTY && isSmart,
    get width() {
      return stdout.columns || widthDefault;
    },
    paint: (style, text) => (resultHasColour || hasColour(stderr) ? styled(style, text) : text),
  };
}

/** Returns what writes notes to standard error, as `Terminal.note` does. */
export function noteWriter(): (text: string) => void {
  // Notes that cannot be written change nothing of the result.
  const notes = openOutput(process.stderr, () => undefined);
  return (text) => {
    const [first = '', ...more] = changeText(text, visibleText).split('\n');
    const lines = [first, ...more.map((line) => (line === '' || line.startsWith(noteIndent) ? line : `${noteIndent}${line}`))];
    notes.write(`${resolveMarks(lines.join('\n'), hasColour(process.stderr))}\n`);
  };
}

/** NO_COLOR wins over FORCE_COLOR; without both, a terminal has colours. */
function hasColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR: no = '', FORCE_COLOR: forced, TERM: term } = process.env;
  if (no !== '') return false;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return stream.isTTY && term !== 'dumb';
}
