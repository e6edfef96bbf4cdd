import { messageOf } from '../../kit/fault.ts';
import type { RowBlock } from '../row-blocks.ts';
import { csvCells, csvHeader } from '../writers/csv-file.ts';
import { parquetValue } from '../writers/parquet-columns.ts';
import type { Format } from '../writers/row-file.ts';
import { blockTexts, type TextBlock } from '../writers/row-text.ts';
import { wellFormedJson } from '../writers/well-formed-json.ts';
import { comparable } from './comparable.ts';
import { csvRecords } from './csv-rows.ts';
import { jsonlRows } from './jsonl-rows.ts';
import { parquetRows } from './parquet-rows.ts';
import type { RowsRead } from './rows-read.ts';
import { UnexpectedFile } from './unexpected-file.ts';

/** A file to compare. */
export interface ComparedFile {
  /** The name for messages. */
  readonly name: string;
  readonly path: string;
}

/** The result of a comparison of files with rows. */
export interface ComparedRows {
  /** The first difference in words, or null if the files hold exactly these rows. */
  readonly difference: string | null;
  /** Number of rows that were read from each file. */
  readonly rows: readonly number[];
}

/**
 * Compares the rows of files, one file after the other, with the expected rows. Both are streamed: only one row group, line or record of the files is in
 * memory at a time.
 */
export async function compareRows(blocks: AsyncIterable<RowBlock>, files: readonly ComparedFile[], read: RowsRead): Promise<ComparedRows> {
  const { columns } = read;
  const counts = files.map(() => 0);
  const rowText = rowTexts(read);
  const textsOf = blockTexts(columns.map(({ name }) => name));
  const fileRows = rowsIn(files, read, counts);
  const result = (difference: string | null): ComparedRows => ({ difference, rows: counts });
  try {
    for await (const rows of blocks) {
      const block = textsOf(rows);
      for (let row = 0; row < block.count; row++) {
        const next = await fileRows.next();
        if (next.done) return result(`${files.at(-1)?.name ?? 'the config'} has fewer rows than the log`);
        const expected = rowText(block, row);
        const { file, text } = next.value;
        if (text !== expected) {
          const at = (counts[file] ?? 1) - 1;
          return result(`${files[file]?.name}: row ${at} is ${shorten(text)}, and the log has ${shorten(expected)}`);
        }
      }
    }
    const more = await fileRows.next();
    return result(more.done ? null : `${files[more.value.file]?.name} has more rows than the log`);
  } catch (error) {
    if (error instanceof UnreadableFile) return result(error.message);
    throw error;
  } finally {
    await fileRows.return(undefined);
  }
}

/** Thrown for a file that does not hold rows of its format. */
class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

async function* rowsIn(
  files: readonly ComparedFile[],
  read: RowsRead,
  counts: number[],
): AsyncGenerator<{ readonly file: number; readonly text: string }, void> {
  for (const [file, { name, path }] of files.entries()) {
    const rows = rowsOfFile[read.format](path, read)[Symbol.asyncIterator]();
    for (;;) {
      let next: IteratorResult<string, unknown>;
      try {
        next = await rows.next();
      } catch (error) {
        const why = error instanceof UnexpectedFile ? error.message : `cannot be read as ${read.format}: ${messageOf(error)}`;
        throw new UnreadableFile(`${name} ${why}`, { cause: error });
      }
      if (next.done) break;
      counts[file] = (counts[file] ?? 0) + 1;
      yield { file, text: next.value };
    }
  }
}

const rowsOfFile: Readonly<Record<Format, (path: string, read: RowsRead) => AsyncIterable<string>>> = {
  parquet: parquetRows,
  jsonl: jsonlRows,
  csv: csvRows,
};

async function* csvRows(path: string, { columns, csvEscapeFormulas }: RowsRead): AsyncGenerator<string> {
  let isHeader = true;
  for await (const record of csvRecords(path)) {
    if (!isHeader) yield record;
    else if (record !== comparable(csvHeader(columns, { replaced: { count: 0 }, csvEscapeFormulas })))
      throw new UnexpectedFile('has other columns in its first line');
    isHeader = false;
  }
  if (isHeader) throw new UnexpectedFile('has no first line with the names of its columns');
}

/** Returns a function that makes the text of a row as it is read back from a file. */
function rowTexts({ format, columns, csvEscapeFormulas }: RowsRead): (block: TextBlock, row: number) => string {
  const replaced = { count: 0 };
  switch (format) {
    case 'jsonl':
      return ({ texts }, row) => wellFormedJson(texts[row] ?? '', replaced);
    case 'csv': {
      const cellsOf = csvCells(columns, { replaced, csvEscapeFormulas });
      return (block, row) => comparable(cellsOf(block, row));
    }
    case 'parquet':
      return ({ values }, row) => comparable(columns.map(({ type }, index) => parquetValue(values[index]?.[row], type, replaced)));
  }
}

const shownMax = 80;

const shorten = (text: string): string => (text.length <= shownMax ? text : `${text.slice(0, shownMax).toWellFormed()}…`);
