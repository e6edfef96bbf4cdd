import { originColumn } from '../../schema/index.ts';
import { assert } from '../kit/assert.ts';
import type { Json } from '../kit/json.ts';
import type { BoundedCache } from './bounded-cache.ts';
import type { DecodedChunk } from './chunk-codec.ts';
import { childOrigins, itemOrigins, callOrigins, type Family } from './origins.ts';

/** A chunk of a batch's output, with everything that the origins of its rows are derived from. */
export interface OutputChunk {
  /** The batch's name, as a key of caches. */
  readonly key: string;
  readonly step: { readonly name: string; readonly operator: string; readonly key: string | null };
  readonly batch: number;
  /** The number of a source's first item in the batch. */
  readonly offset: number | null;
  /** Rows of each chunk of the batch. */
  readonly chunkRows: readonly number[];
  /** Its number in the batch. `first` is the batch's output row that it begins with. */
  readonly index: number;
  readonly first: number;
  readonly chunkAt: (index: number) => Promise<DecodedChunk>;
  /** Returns the values of a column of the batch's input, one per row of the chunk. */
  readonly inherited: (column: string) => Promise<readonly Json[]>;
}

/** The last families of a `flatMap`'s chunks, by batch and chunk. A cached entry saves reading the preceding chunks. Entries may be evicted. */
export type Families = BoundedCache<Family>;

/** Returns the number of each row's item in its source, from 0. */
export async function itemsOf(output: OutputChunk): Promise<readonly number[]> {
  const { step, offset, index } = output;
  assert(offset !== null, `a batch of source ${step.name} records its offset`);
  return (await parentsIn(output, index)).map((row) => offset + row);
}

/** Returns the origin of each row: see `origins.ts`. */
export async function originsOf(output: OutputChunk, families: Families): Promise<readonly Json[]> {
  const { step, batch, first, chunkRows, index, inherited } = output;
  switch (step.operator) {
    case 'source':
      return itemOrigins(step.name, step.key === null ? await itemsOf(output) : await keysIn(output, step.key));
    case 'batch':
    case 'global':
      return callOrigins(`${step.name}/${batch}.`, first, chunkRows[index] ?? 0);
    case 'flatMap':
      return originsOfChildren(output, families);
    default:
      return inherited(originColumn);
  }
}

/** Returns the numbers of the input rows that the rows of a chunk are made from. */
async function parentsIn({ chunkAt, chunkRows }: OutputChunk, index: number): Promise<readonly number[]> {
  const { parents, count } = await chunkAt(index);
  if (parents !== null) return parents;
  const first = chunkRows.slice(0, index).reduce((sum, rows) => sum + rows, 0);
  return Array.from({ length: count }, (_, row) => first + row);
}

async function keysIn({ step, index, chunkAt }: OutputChunk, key: string): Promise<readonly Json[]> {
  const keys = (await chunkAt(index)).columns.get(key);
  assert(keys, `source ${step.name} has its key among its columns`);
  return keys;
}

async function originsOfChildren(output: OutputChunk, families: Families): Promise<readonly Json[]> {
  const { key, index, inherited } = output;
  const endOf = async (chunk: number): Promise<Family | null> => {
    if (chunk < 0) return null;
    const known = families.get(`${key}#${chunk}`);
    if (known) return known;
    const parents = await parentsIn(output, chunk);
    const parent = parents.at(-1);
    if (parent === undefined) return endOf(chunk - 1);
    const others = parents.findLastIndex((other) => other !== parent) + 1;
    const before = others === 0 ? await endOf(chunk - 1) : null;
    const family = { parent, children: parents.length - others + (before?.parent === parent ? before.children : 0) };
    families.set(`${key}#${chunk}`, family, 1);
    return family;
  };
  const [parents, above, before] = await Promise.all([parentsIn(output, index), inherited(originColumn), endOf(index - 1)]);
  const { origins, last } = childOrigins(parents, above, before);
  if (last) families.set(`${key}#${index}`, last, 1);
  return origins;
}
