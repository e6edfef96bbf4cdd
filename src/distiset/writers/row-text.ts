import { Fault } from '#kit/fault';
import { canonicalJson, type JsonObject } from '#kit/json';

/** A row and its canonical JSON, made once: it is hashed, measured, and written from. */
export interface RowText {
  readonly row: JsonObject;
  /** Canonical JSON of each value, in the order of the columns. */
  readonly cells: readonly string[];
  /** Canonical JSON of the row. */
  readonly text: string;
}

/** Makes the texts of rows that have exactly these columns. What it returns throws `Fault('row-not-of-columns')`. */
export function rowTexts(columns: readonly string[]): (row: JsonObject) => RowText {
  const inOrder = columns.map((name, index) => ({ name, index })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const keys = inOrder.map(({ name, index }, order) => ({ index, key: `${order === 0 ? '' : ','}${JSON.stringify(name)}:` }));
  return (row) => {
    const cells: string[] = [];
    for (const name of columns) {
      const value = Object.hasOwn(row, name) ? row[name] : refuse(columns, row);
      cells.push(canonicalJson(value));
    }
    if (Object.keys(row).length > columns.length) refuse(columns, row);
    let text = '{';
    for (const { key, index } of keys) text += key + (cells[index] as string);
    return { row, cells, text: `${text}}` };
  };
}

function refuse(columns: readonly string[], row: JsonObject): never {
  const missing = columns.find((name) => !Object.hasOwn(row, name));
  const what =
    missing === undefined ? `one that is not declared: ${Object.keys(row).find((name) => !columns.includes(name))}` : `no ${missing}`;
  throw new Fault('row-not-of-columns', `A row does not have the columns ${columns.join(', ')}: it has ${what}.`);
}
