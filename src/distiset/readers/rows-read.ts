import type { FileOptions } from '../describe-distiset.ts';
import type { TypedColumn } from '../writers/row-file.ts';

/** The options with which the files to read were written. */
export interface RowsRead extends Pick<FileOptions, 'format' | 'compression' | 'csvEscapeFormulas'> {
  readonly columns: readonly TypedColumn[];
}
