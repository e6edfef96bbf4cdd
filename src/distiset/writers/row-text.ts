import { canonicalJson } from '../../kit/json.ts';
import type { RowBlock } from '../row-blocks.ts';

/** Rows with their canonical JSON. It is made once and used for hashing, measuring and writing. */
export interface TextBlock extends RowBlock {
  /** Canonical JSON of each value, by column. */
  readonly cells: readonly (readonly string[])[];
  /** Canonical JSON of each row. */
  readonly texts: readonly string[];
}

/** Returns a function that makes the texts of rows with these columns. */
export function blockTexts(columns: readonly string[]): (block: RowBlock) => TextBlock {
  const inOrder = columns.map((name, index) => ({ name, index })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const keys = inOrder.map(({ name, index }, order) => ({ index, key: `${order === 0 ? '' : ','}${JSON.stringify(name)}:` }));
  return ({ count, values }) => {
    const cells = values.map((column) => column.map((value) => canonicalJson(value)));
    const texts: string[] = [];
    for (let row = 0; row < count; row++) {
      let text = '{';
      for (const { key, index } of keys) text += key + (cells[index]?.[row] as string);
      texts.push(`${text}}`);
    }
    return { count, values, cells, texts };
  };
}
