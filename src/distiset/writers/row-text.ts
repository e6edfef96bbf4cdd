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
  const inOrder = columns
    .map((name, index) => ({ name, index, key: `${JSON.stringify(name)}:` }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return (row) => {
    const missing = columns.find((name) => !Object.hasOwn(row, name));
    const excess = Object.keys(row).length > columns.length ? Object.keys(row).find((name) => !columns.includes(name)) : undefined;
    if (missing !== undefined || excess !== undefined) {
      const what = missing === undefined ? `one that is not declared: ${excess}` : `no ${missing}`;
      throw new Fault('row-not-of-columns', `A row does not have the columns ${columns.join(', ')}: it has ${what}.`);
    }
    const cells = columns.map((name) => canonicalJson(row[name]));
    let text = '{';
    for (const { key, index } of inOrder) text += `${text === '{' ? '' : ','}${key}${cells[index]}`;
    return { row, cells, text: `${text}}` };
  };
}
