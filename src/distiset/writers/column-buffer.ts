import type { Json } from '../../kit/json.ts';
import type { ColumnType } from './column-type.ts';
import { toInteger, parquetValue, type Replacements } from './parquet-columns.ts';
import { TextBytes } from './text-bytes.ts';

/**
 * The buffered values of a column, until their row group is complete. They outlive V8's young generation, so they are buffered in a compact form: texts as
 * bytes and integers as numbers, not as one object per value.
 */
export interface ColumnBuffer {
  /** Adds a value with its canonical JSON. Throws `Fault('value-not-of-type')`. */
  add(value: Json | undefined, cell: string): void;
  /** Returns the values since the last call, in the form of the Parquet writer, and clears the buffer. They are valid until the next `add`. */
  take(): unknown[];
}

/** Creates an empty column buffer. `replaced` counts texts with lone surrogates, which become U+FFFD. */
export function createColumnBuffer(type: ColumnType, replaced: Replacements): ColumnBuffer {
  switch (type.kind) {
    case 'string': {
      const texts = new TextBytes();
      return { add: (value) => texts.add(parquetValue(value, type, replaced) as string | null), take: () => texts.take() };
    }
    // The canonical JSON is the text of a JSON column.
    case 'json': {
      const texts = new TextBytes();
      return { add: (value, cell) => texts.add(value === null ? null : cell), take: () => texts.take() };
    }
    case 'integer': {
      const integers = createBuffer((value) => (value === undefined || value === null ? null : toInteger(value, type)));
      return { add: integers.add, take: () => integers.take().map((value) => (value === null ? null : BigInt(value))) };
    }
    case 'boolean':
    case 'double':
    case 'list':
    case 'struct':
      return createBuffer((value) => parquetValue(value, type, replaced));
  }
}

function createBuffer<Stored>(convert: (value: Json | undefined) => Stored) {
  let values: Stored[] = [];
  return {
    add: (value: Json | undefined) => void values.push(convert(value)),
    take: (): Stored[] => {
      const result = values;
      values = [];
      return result;
    },
  };
}
