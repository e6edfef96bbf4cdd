// The origin of a row says which row it is, by what does not change from pass to pass, with batch sizes, or with what a filter lets through. It is text:
//
//   source           `entries/7`       item 7 of source entries, or, where the source declares a key, the item of that key
//   flatMap          `entries/7.2`     the third row made of it
//   union            `entries/7@left`  the one that came by branch left, where a union may hold several rows made of one
//   batch, global    `groups/3.0`      the first row that step groups made of its batch 3; a global step's `total/0`
//
// All other steps leave it as it is. A join has that of its first branch, which is that of its fork: no branch of a join holds a row twice. Rows of one
// step have different origins, since keys hold none of `/`, `.`, `@` and `~`, and a step is named by what it makes of rows only below itself.
import type { Json } from '../kit/json.ts';
import { canonicalJson } from '../kit/json.ts';
import { sha256 } from '../kit/sha256.ts';

/** Characters of a declared key that stand in an origin as they are, escaped; of a longer key its hash does. */
const keyLengthMax = 64;
const keyHashLength = 32;
const needsNoEscape = /^[\w-]{1,64}$/;

/** Returns a declared key as it stands in origins: percent-encoded, a long one as its hash. A number and its text are one key. */
export function keyText(value: Json): string {
  const text = typeof value === 'string' ? value : canonicalJson(value);
  if (needsNoEscape.test(text)) return text;
  if (text.length <= keyLengthMax && text.isWellFormed()) {
    const escaped = encodeURIComponent(text).replaceAll(/[.!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
    if (escaped.length <= keyLengthMax) return escaped;
  }
  // Canonical JSON, for it tells lone surrogates apart.
  return `~${sha256(canonicalJson(text)).slice(0, keyHashLength)}`;
}

/** Returns the origins of a source's rows, which are these items or have these keys. */
export const itemOrigins = (source: string, items: readonly Json[]): readonly string[] => items.map((item) => `${source}/${keyText(item)}`);

/** Returns the origins of rows that a step made of many together: `count` rows of a call, from its row `first` on. */
export const madeOrigins = (call: string, first: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, row) => `${call}${first + row}`);

/** Returns the origins of rows that came into a union by one of its branches. */
export const branchOrigins = (branch: string, origins: readonly Json[]): readonly string[] =>
  origins.map((origin) => `${origin as string}@${branch}`);

/** How a chunk of a `flatMap` ends: the input row that its last rows were made of, and how many rows of the batch were made of that row so far. */
export interface Family {
  readonly parent: number;
  readonly children: number;
}

/**
 * Returns the origins of the rows that a `flatMap` made, given the input row that each was made of and that row's origin, and how the chunk ends. `before`
 * is how the chunk before it ended.
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
