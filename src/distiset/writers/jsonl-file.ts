import type { HashedFile } from './hashed-file.ts';
import type { RowFile, TypedColumn } from './row-file.ts';

/** Text that is gathered before it is written, in UTF-16 code units. */
const flushLength = 1024 * 1024;

/** A file of one row a line, columns in their order. Lone surrogates stay, escaped. */
export function jsonlFile(file: HashedFile, columns: readonly TypedColumn[]): RowFile {
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
      for (let index = 0; index < keys.length; index++) lines += `${keys[index]}${cells[index]?.[row]}`;
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
