import type { FileOptions } from '../describe-distiset.ts';
import type { TypedColumn } from '../writers/row-file.ts';

/** How files that are read back should have been written. */
export interface RowsRead extends Pick<FileOptions, 'format' | 'compression' | 'csvEscapeFormulas'> {
  readonly columns: readonly TypedColumn[];
}
