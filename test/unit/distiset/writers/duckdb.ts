import { DuckDBInstance, type DuckDBResultReader } from '@duckdb/node-api';
import type { Json, JsonObject } from '../../../../src/kit/json.ts';
import type { ColumnType } from '../../../../src/distiset/writers/column-type.ts';
import type { TypedColumn } from '../../../../src/distiset/writers/row-file.ts';

/** Reads files with DuckDB, in order: types, and rows as JSON with columns of JSON text parsed. */
export async function readWithDuckdb(
  glob: string,
  columns: readonly TypedColumn[],
): Promise<{ readonly types: readonly string[]; readonly rows: readonly JsonObject[] }> {
  const reader = await query(`select * from read_parquet('${glob.replaceAll("'", "''")}')`);
  const rows = reader
    .getRowsJS()
    .map((values) => Object.fromEntries(columns.map(({ name, type }, index) => [name, asJson(values[index], type)] as const)));
  return { types: reader.columnTypes().map(String), rows };
}

/** Reads CSV files with DuckDB: every field as text, or null if it is empty and unquoted. */
export async function readCsvWithDuckdb(
  glob: string,
  columns: readonly string[],
): Promise<readonly Readonly<Record<string, string | null>>[]> {
  const reader = await query(
    `select * from read_csv('${glob.replaceAll("'", "''")}', header = true, all_varchar = true, allow_quoted_nulls = false, new_line = '\\r\\n', quote = '"', escape = '"', delim = ',')`,
  );
  return reader.getRowsJS().map((values) => Object.fromEntries(columns.map((name, index) => [name, values[index] as string | null])));
}

/** The UTF-8 of a column's texts, in hexadecimal digits. */
export async function hexOf(glob: string, column: string): Promise<readonly unknown[]> {
  const reader = await query(`select hex(encode("${column}")) from read_parquet('${glob}')`);
  return reader.getRowsJS().map(([hex]) => hex);
}

/** The texts of the column `text` of a JSONL file that also has a column `any` of JSON. */
export async function textsOfJsonl(file: string): Promise<readonly unknown[]> {
  const reader = await query(
    `select text from read_json('${file}', format = 'newline_delimited', columns = {text: 'VARCHAR', "any": 'JSON'})`,
  );
  return reader.getRowsJS().map(([text]) => text);
}

async function query(sql: string): Promise<DuckDBResultReader> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return await connection.runAndReadAll(sql);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A value as a Parquet reader gives it, as the JSON that was written: bigints as numbers, JSON text parsed. */
export function asJson(value: unknown, type: ColumnType): Json {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'json':
      return JSON.parse(value as string) as Json;
    case 'integer':
      return Number(value);
    case 'list':
      return (value as unknown[]).map((item) => asJson(item, type.item));
    case 'struct': {
      // DuckDB gives names that differ only in case a suffix; JavaScript puts names that are numbers first.
      const members = value as Record<string, unknown>;
      const inOrder = Object.values(members);
      return Object.fromEntries(
        type.fields.map(({ name, type: field }, index) => [
          name,
          asJson(Object.hasOwn(members, name) ? members[name] : inOrder[index], field),
        ]),
      );
    }
    default:
      return value as Json;
  }
}
