// The origin of a row identifies it by properties that do not depend on passes, batch sizes or filters. It is text:
//
//   source           `entries/7`       item 7 of source entries, or the item with key 7 if the source declares a key
//   flatMap          `entries/7.2`     the third row made from it
//   union            `entries/7@left`  the row from branch left, if a union may hold several rows made from one
//   batch, global    `groups/3.0`      the first row that step groups made from its batch 3; for a global step `total/0`
//
// All other steps do not change it. A join has the origin of its first branch, which is that of its fork, because no branch of a join holds a row twice.
// Rows of one step have different origins: keys contain none of `/`, `.`, `@` and `~`, and a step's name appears only in origins of rows below it.
import type { Json } from '../kit/json.ts';
import { canonicalJson } from '../kit/json.ts';
import { sha256 } from '../kit/sha256.ts';

/** Maximum characters of a declared key in an origin, after escaping. A longer key is replaced by its hash. */
const keyLengthMax = 64;
const keyHashLength = 32;
const needsNoEscape = /^[\w-]{1,64}$/;

/** Returns a declared key as origins contain it: percent-encoded, or its hash if it is long. A number and its text are the same key. */
export function keyText(value: Json): string {
  const text = typeof value === 'string' ? value : canonicalJson(value);
  if (needsNoEscape.test(text)) return text;
  if (text.length <= keyLengthMax && text.isWellFormed()) {
    const escaped = encodeURIComponent(text).replaceAll(/[.!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
    if (escaped.length <= keyLengthMax) return escaped;
  }
  // The hash covers canonical JSON, which distinguishes lone surrogates.
  return `~${sha256(canonicalJson(text)).slice(0, keyHashLength)}`;
}

/** Returns the origins of a source's rows from their item numbers or keys. */
export const itemOrigins = (source: string, items: readonly Json[]): readonly string[] => items.map((item) => `${source}/${keyText(item)}`);

/** Returns the origins of rows that a step made from many rows together: `count` rows of a call, from its row `first` on. */
export const callOrigins = (call: string, first: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, row) => `${call}${first + row}`);

/** Returns the origins of a union's rows from one branch. */
export const branchOrigins = (branch: string, origins: readonly Json[]): readonly string[] =>
  origins.map((origin) => `${origin as string}@${branch}`);

/** The last family of a `flatMap`'s chunk: the input row that its last rows were made from, and the number of rows made from it so far in the batch. */
export interface Family {
  readonly parent: number;
  readonly children: number;
}

/**
 * Returns the origins of a `flatMap`'s rows, and the last family of the chunk. `parents` and `origins` are the number and origin of each row's input row.
 * `before` is the last family of the preceding chunk.
 */
export function childOrigins(
  parents: readonly number[],
  origins: readonly Json[],
  before: Family | null,
): { readonly origins: readonly string[]; readonly last: Family | null } {
  let { parent, children } = before ?? { parent: -1, children: 0 };
  const own = parents.map((of, index) => {
    if (of !== parent) {
      parent = of;
      children = 0;
    }
    return `${origins[index] as string}.${children++}`;
  });
  return { origins: own, last: parent < 0 ? null : { parent, children } };
}
