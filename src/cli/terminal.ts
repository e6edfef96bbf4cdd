import { createLogUpdate } from 'log-update';
import { jsonPieces } from './json-pieces.ts';
import { openOutput, type OutputError } from './output.ts';
import { changeText, resolveMarks, applyStyle, type Style } from './styled-text.ts';
import { escapeLine, escapeJson, escapeText } from './visible.ts';

/**
 * The output of a command and its capabilities. All text for people is written and escaped here, so that no character of a row, a name or a message
 * controls the terminal or starts a line of its own.
 */
export interface Terminal {
  /** Writes lines of the result to standard output. A line break within a line is printed as `\n`. */
  print(lines: string | readonly string[]): void;
  /** Writes a text of several lines to standard output, such as a document or a statement. */
  printText(text: string): void;
  /** Writes a value to standard output as a line of JSON. On a terminal, control characters are written as JSON escapes; elsewhere nothing is changed. */
  printJson(value: unknown, stringify?: (value: unknown) => string): void;
  /** Writes an object to standard output as a line of JSON, with lists as its last members. Writes items one by one, because the lists may exceed the memory. */
  printJsonLists(members: Readonly<Record<string, unknown>>, lists: Readonly<Record<string, AsyncIterable<unknown>>>): Promise<void>;
  /** Writes progress, notes and errors to standard error. Lines after the first are indented, so that none looks like another note. */
  note(text: string): void;
  /** Returns lines at the end of standard output that can be redrawn. */
  openRegion(): Region;
  readonly isInteractive: boolean;
  /** Characters in a line, or 100 if there is no terminal. */
  readonly width: number;
  /** Returns text in a style, which is shown if the output supports it. */
  paint(style: Style, text: string): string;
}

/** Lines that are replaced each time they are drawn. */
export interface Region {
  draw(lines: readonly string[]): void;
  /** Removes the lines, so that the next output comes above them. */
  clear(): void;
  /** Leaves the lines where they are. */
  done(): void;
}

/** Width of a line without a terminal. */
const widthDefault = 100;
const noteIndent = '  ';

/** Returns this process's terminal. Calls `onLost` once with the error when a write to standard output fails. Later output is dropped. */
export function processTerminal(onLost: (error: OutputError) => void): Terminal {
  const { stdout, stderr } = process;
  const result = openOutput(stdout, onLost);
  const resultHasColour = hasColour(stdout);
  const isSmart = process.env['TERM'] !== 'dumb';
  const lineOf = (text: string) => resolveMarks(changeText(text, escapeLine), resultHasColour);
  const print = (lines: string | readonly string[]) =>
    result.write(
      [lines]
        .flat()
        .map((line) => `${lineOf(line)}\n`)
        .join(''),
    );
  return {
    print,
    printText: (text) => result.write(`${resolveMarks(changeText(text, escapeText), resultHasColour)}\n`),
    printJson: (value, stringify = JSON.stringify) => {
      const json = stringify(value);
      result.write(`${stdout.isTTY ? escapeJson(json) : json}\n`);
    },
    printJsonLists: async (members, lists) => {
      for await (const piece of jsonPieces(members, lists)) result.write(stdout.isTTY ? escapeJson(piece) : piece);
      result.write('\n');
    },
    note: noteWriter(),
    openRegion: () => {
      // A separate stream, so that output of steps cannot appear in the middle of the region.
      const stream = Object.create(stdout, { write: { value: result.write } }) as NodeJS.WriteStream;
      const update = createLogUpdate(stream, { showCursor: true });
      return { draw: (lines) => update(lines.map(lineOf).join('\n')), clear: update.clear, done: update.done };
    },
    isInteractive: stdout.isTTY && isSmart,
    get width() {
      return stdout.columns || widthDefault;
    },
    paint: (style, text) => (resultHasColour || hasColour(stderr) ? applyStyle(style, text) : text),
  };
}

/** Returns a function that writes notes to standard error, as `Terminal.note` does. */
export function noteWriter(): (text: string) => void {
  // A note that cannot be written does not affect the result.
  const notes = openOutput(process.stderr, () => undefined);
  return (text) => {
    const [first = '', ...more] = changeText(text, escapeText).split('\n');
    const lines = [first, ...more.map((line) => (line === '' || line.startsWith(noteIndent) ? line : `${noteIndent}${line}`))];
    notes.write(`${resolveMarks(lines.join('\n'), hasColour(process.stderr))}\n`);
  };
}

/** Returns whether a stream gets colours. NO_COLOR overrides FORCE_COLOR. Without both, a terminal gets colours. */
function hasColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR: no = '', FORCE_COLOR: forced, TERM: term } = process.env;
  if (no !== '') return false;
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return stream.isTTY && term !== 'dumb';
}
