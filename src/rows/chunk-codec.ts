import { chunkBytesMax, chunkRowsMax } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import { canonicalJson, type Json } from '../kit/json.ts';
import { sha256 } from '../kit/sha256.ts';
import type { Chunk } from '../log/index.ts';

/**
 * The rows of a chunk, column by column. It has only the columns that its step added. `parents` are the numbers of the input rows that the output rows are
 * made from, or null if they equal the numbers of the output rows in the batch.
 */
export interface DecodedChunk {
  readonly count: number;
  readonly parents: readonly number[] | null;
  readonly columns: ReadonlyMap<string, readonly Json[]>;
}

/** Returns the canonical JSON of a row's added columns. Throws a `TypeError` for values that JSON cannot represent. */
export const encodeValues = (values: readonly unknown[]): readonly string[] => values.map(canonicalJson);

/**
 * Returns the bytes of an encoded row, as bounds count them. Counting also flattens each string in V8, so that a short string that was cut from a large one
 * no longer keeps the large one alive.
 */
export function rowBytes(values: readonly string[]): number {
  let bytes = 0;
  for (const value of values) bytes += Buffer.byteLength(value) + 1;
  return bytes;
}

/** Collects the rows of a chunk, up to its bounds. They are stored by column, as they are written later. */
export class ChunkBuilder {
  readonly #columns: readonly string[];
  readonly #hasParents: boolean;
  #texts: string[][];
  #parents: number[] = [];
  #bytes = 0;

  /** `hasParents` is false if rows are not made from one input row each. */
  constructor(columns: readonly string[], hasParents: boolean) {
    this.#columns = columns;
    this.#hasParents = hasParents;
    this.#texts = columns.map(() => []);
  }

  get count(): number {
    return this.#parents.length;
  }

  /** Returns whether a row of this many bytes must go into the next chunk. */
  isFullFor(bytes: number): boolean {
    return this.count >= chunkRowsMax || (this.count > 0 && this.#bytes + bytes > chunkBytesMax);
  }

  /** Adds an output row: the canonical JSON of each added column, in the step's order, and the number of its input row. */
  add(values: readonly string[], parent: number, bytes: number): void {
    for (let index = 0; index < this.#texts.length; index++) this.#texts[index]?.push(values[index] as string);
    this.#parents.push(parent);
    this.#bytes += bytes;
  }

  /** Adds an output row whose values are given by column. `row` is its index there and the number of its input row. */
  addFrom(columns: readonly (readonly string[])[], row: number, bytes: number): void {
    for (let index = 0; index < this.#texts.length; index++) this.#texts[index]?.push(columns[index]?.[row] as string);
    this.#parents.push(row);
    this.#bytes += bytes;
  }

  /** Returns the chunk and starts an empty one. `first` is the number of its first row in the batch's output. */
  take(first: number): BuiltChunk {
    const rows = this.count;
    const columns = this.#columns.map((name, index) => `[${JSON.stringify(name)},[${this.#texts[index]?.join(',') ?? ''}]]`);
    const isIdentity = !this.#hasParents || this.#parents.every((parent, index) => parent === first + index);
    const parents = isIdentity ? '' : `,"parents":[${this.#parents.join(',')}]`;
    this.#texts = this.#columns.map(() => []);
    this.#parents = [];
    this.#bytes = 0;
    const chunk = chunkOf(`{"columns":[${columns.join(',')}],"count":${rows}${parents}}`);
    return { chunk, rows, first: isIdentity && this.#hasParents ? first : null };
  }
}

/** A chunk that may be used in another event: `first` is the row of the batch's output at which it must begin, or null for any row. */
export interface BuiltChunk {
  readonly chunk: Chunk;
  readonly rows: number;
  readonly first: number | null;
}

/**
 * Decodes a chunk of rows. Values are frozen at every depth, so that the next step sees the same as after a resume. Throws `Fault('chunk-corrupted')`, also
 * if the chunk does not have the expected number of rows.
 */
export function decodeChunk(bytes: Uint8Array, rows?: number): DecodedChunk {
  const stored = parse(bytes);
  if (!isStoredRows(stored)) throw corruptedFault('does not hold rows');
  const { columns, count, parents } = stored;
  if (rows !== undefined && count !== rows) throw corruptedFault(`holds ${count} rows where an event says ${rows}`);
  for (const [, values] of columns) for (const value of values) deepFreeze(value, 0);
  return { count, parents: parents ?? null, columns: new Map(columns) };
}

interface StoredRows {
  readonly columns: readonly (readonly [string, readonly Json[]])[];
  readonly count: number;
  readonly parents?: readonly number[];
}

/** Returns whether each column has one value per row. It does not use a schema library, because this check runs at every read of a chunk. */
function isStoredRows(stored: unknown): stored is StoredRows {
  if (typeof stored !== 'object' || stored === null) return false;
  const { columns, count, parents } = stored as { readonly [Member in keyof StoredRows]?: unknown };
  if (!isRowNumber(count) || !Array.isArray(columns)) return false;
  if (parents !== undefined && !(Array.isArray(parents) && parents.length === count && parents.every(isRowNumber))) return false;
  return columns.every(
    (column: unknown) =>
      Array.isArray(column) &&
      column.length === 2 &&
      typeof column[0] === 'string' &&
      Array.isArray(column[1]) &&
      column[1].length === count,
  );
}

const isRowNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Returns a chunk with one JSON document, such as a definition or a list of rejections. */
export const documentChunk = (document: unknown): Chunk => chunkOf(canonicalJson(document));

/** The member of a zod schema that reading a document needs. */
interface DocumentSchema<T> {
  safeParse(document: unknown): { readonly success: true; readonly data: T } | { readonly success: false; readonly error: unknown };
}

/** Returns the document of such a chunk, parsed with its schema. Throws `Fault('chunk-corrupted')`. */
export function decodeDocument<T>(bytes: Uint8Array, documentSchema: DocumentSchema<T>): T {
  const document = parse(bytes);
  let parsed: ReturnType<typeof documentSchema.safeParse>;
  try {
    parsed = documentSchema.safeParse(document);
  } catch (cause) {
    // The document is nested so deeply that the schema's recursion overflows the stack.
    throw corruptedFault('holds a document that cannot be read', cause);
  }
  if (!parsed.success) throw corruptedFault('holds a document of another shape', parsed.error);
  return parsed.data;
}

function chunkOf(text: string): Chunk {
  const bytes = Buffer.from(text, 'utf8');
  return { sha256: sha256(bytes), bytes };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    throw corruptedFault('is not JSON', cause);
  }
}

const corruptedFault = (what: string, cause?: unknown): Fault =>
  new Fault('chunk-corrupted', `A stored chunk ${what}. To find the position that names it: distilog verify`, { cause });

/** Maximum levels of a stored value. distilog writes fewer. */
const depthMax = 2_000;

function deepFreeze(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (depth > depthMax) throw corruptedFault(`holds a value of more than ${depthMax} levels`);
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member, depth + 1);
}
