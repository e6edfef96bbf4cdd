import type { HashedFile } from './hashed-file.ts';
import type { Replacements } from './parquet-columns.ts';
import type { RowFile, TypedColumn } from './row-file.ts';
import { wellFormedJson } from './well-formed-json.ts';

/** Maximum length of the buffered text, in UTF-16 code units. */
const flushLength = 1024 * 1024;

/** Begins a JSONL file with one row per line and columns in order. Lone surrogates become U+FFFD and are counted. */
export function jsonlFile(file: HashedFile, columns: readonly TypedColumn[], { replaced }: { readonly replaced: Replacements }): RowFile {
  const keys = columns.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  let lines = '';
  const flush = () => {
    file.write(Buffer.from(lines, 'utf8'));
    lines = '';
  };
  return {
    get bytes() {
      return file.bytes + lines.length;
    },
    write: ({ cells }, row) => {
      for (let index = 0; index < keys.length; index++) lines += `${keys[index]}${wellFormedJson(cells[index]?.[row] as string, replaced)}`;
      lines += '}\n';
      if (lines.length > flushLength) flush();
    },
    close: () => {
      flush();
      return file.close();
    },
    abandon: () => file.abandon(),
  };
}
