import Table from 'cli-table3';
import { changeText, cutText, textLength } from './styled-text.ts';
import { escapeLine } from './visible.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right' | undefined;
  /** Width in characters. Default: the width of the widest cell. */
  readonly width?: number | undefined;
}

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Renders aligned columns under their titles, without rules, one line per row. Cells may contain styles. All other text is escaped. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintTitle: (title: string) => string = String,
): readonly string[] {
  const drawn = new Table({
    head: columns.map(({ title }) => paintTitle(escapeLine(title))),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    colWidths: columns.map(({ width }) => width ?? null),
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) drawn.push(row.map((cell) => changeText(cell, escapeLine)));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Escapes a text and shortens it to one line of at most `lengthMax` characters. Styles count as no characters. */
export function shorten(text: string, lengthMax: number): string {
  const line = changeText(text.trim(), (part) => escapeLine(part.replaceAll(/\s+/g, ' ')));
  return textLength(line) <= lengthMax ? line : cutText(line, Math.max(0, lengthMax - 1), '…');
}

/** Wraps a text between words into lines of at most `lengthMax` characters. A longer word gets a longer line of its own. */
export function wrap(text: string, lengthMax: number): readonly string[] {
  const lines: string[] = [];
  for (const word of escapeLine(text.replaceAll(/\s+/g, ' ')).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= lengthMax) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Returns the largest column width, at least `least`, at which all columns fit into a line with two spaces between them. */
export function fitWidth(widths: readonly number[], lineWidth: number, least: number): number {
  let widthMax = Math.max(least, ...widths);
  while (widthMax > least && widths.reduce((sum, each) => sum + Math.min(each, widthMax) + 2, -2) > lineWidth) widthMax--;
  return widthMax;
}
