import type { Json } from '../../kit/json.ts';
import type { ColumnType } from './column-type.ts';
import { integerIn, parquetValue, type Replacements } from './parquet-columns.ts';
import { TextBytes } from './text-bytes.ts';

/**
 * A column's values of a row group that is to be. They wait until the group is whole, longer than the young generation lasts: what would be an object each
 * waits as something smaller, texts as bytes and integers as numbers.
 */
export interface GatheredColumn {
  /** Adds a value, which has this canonical JSON. Throws `Fault('value-not-of-type')`. */
  add(value: Json | undefined, cell: string): void;
  /** The values since they were last taken, as the Parquet writer takes them: they hold until the next one is added. */
  take(): unknown[];
}

/** A column of this type, as yet without values. `replaced` counts its texts with lone surrogates, which become U+FFFD. */
export function gatheredColumn(type: ColumnType, replaced: Replacements): GatheredColumn {
  switch (type.kind) {
    case 'string': {
      const texts = new TextBytes();
      return { add: (value) => texts.add(parquetValue(value, type, replaced) as string | null), take: () => texts.take() };
    }
    // A column of JSON has its text already.
    case 'json': {
      const texts = new TextBytes();
      return { add: (value, cell) => texts.add(value === null ? null : cell), take: () => texts.take() };
    }
    case 'integer': {
      const integers = gathered((value) => (value === undefined || value === null ? null : integerIn(value, type)));
      return { add: integers.add, take: () => integers.take().map((value) => (value === null ? null : BigInt(value))) };
    }
    case 'boolean':
    case 'double':
    case 'list':
    case 'struct':
      return gathered((value) => parquetValue(value, type, replaced));
  }
}

function gathered<Kept>(kept: (value: Json | undefined) => Kept) {
  let values: Kept[] = [];
  return {
    add: (value: Json | undefined) => void values.push(kept(value)),
    take: (): Kept[] => {
      const taken = values;
      values = [];
      return taken;
    },
  };
}
