import type { FileMetaData } from 'hyparquet';
import type { TypedColumn } from '../writers/row-file.ts';
import { UnexpectedFile } from './unexpected-file.ts';

type RowGroup = FileMetaData['row_groups'][number];
type Bound = string | number | bigint | boolean;

/**
 * Checks a row group's statistics against its rows, because readers skip row groups by their statistics and look up values in indexes. Throws
 * `UnexpectedFile` for wrong statistics and for any index.
 */
export function checkStatistics(
  group: RowGroup,
  columns: readonly TypedColumn[],
  rows: readonly Readonly<Record<string, unknown>>[],
): void {
  for (const chunk of group.columns) {
    const { file_path: file, column_index_offset: columnIndex, meta_data: data } = chunk;
    const name = data?.path_in_schema[0] ?? '';
    const hints = [file, columnIndex, data?.bloom_filter_offset, data?.index_page_offset, data?.key_value_metadata];
    if (hints.some((hint) => hint !== undefined)) throw new UnexpectedFile(`has an index of column ${name}, which distilog does not write`);
    const { statistics } = data ?? {};
    const column = columns.find((candidate) => candidate.name === name);
    if (!statistics || !column || column.type.kind === 'list' || column.type.kind === 'struct') continue;
    const values = rows.map((row) => row[name] ?? null);
    const nulls = values.filter((value) => value === null).length;
    const isWrong =
      (statistics.null_count !== undefined && Number(statistics.null_count) !== nulls) ||
      values.some((value) => value !== null && !isWithin(value as Bound, statistics));
    if (isWrong) throw new UnexpectedFile(`has statistics of column ${name} that do not match its rows`);
  }
}

function isWithin(
  value: Bound,
  {
    min,
    max,
    min_value: least = min,
    max_value: greatest = max,
  }: NonNullable<NonNullable<RowGroup['columns'][number]['meta_data']>['statistics']>,
): boolean {
  const isAbove = least === undefined || order(value, least as Bound) >= 0;
  return isAbove && (greatest === undefined || order(value, greatest as Bound) <= 0);
}

/** Compares two bounds. Texts are ordered by their bytes. */
function order(a: Bound, b: Bound): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
