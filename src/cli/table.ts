import Table from 'cli-table3';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right' | undefined;
  /** Characters; default: as wide as its widest cell. */
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

/** Aligned columns under their titles, without rules: each row one line. Cells may hold colours. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintTitle: (title: string) => string = String,
): string {
  const drawn = new Table({
    head: columns.map(({ title }) => paintTitle(title)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    colWidths: columns.map(({ width }) => width ?? null),
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A text in one line of at most so many characters. */
export function shortened(text: string, lengthMax: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= lengthMax ? line : `${line.slice(0, Math.max(0, lengthMax - 1)).toWellFormed()}…`;
}

/** A text in lines of at most so many characters, broken between words; a word that is longer has a line of its own, which is longer too. */
export function wrapped(text: string, lengthMax: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= lengthMax) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The greatest width that no column may pass for all of them to fit into a line, two spaces between; never less than `least`. */
export function fittingWidth(widths: readonly number[], lineWidth: number, least: number): number {
  let most = Math.max(least, ...widths);
  while (most > least && widths.reduce((sum, each) => sum + Math.min(each, most) + 2, -2) > lineWidth) most--;
  return most;
}
