import { chunkBytesMax, chunkRowsMax } from '../../schema/index.ts';
import { Fault } from '../kit/fault.ts';
import { canonicalJson, type Json } from '../kit/json.ts';
import { sha256 } from '../kit/sha256.ts';
import type { Chunk } from '../log/index.ts';

/**
 * The rows of a chunk, column by column: only the columns that its step added. `parents` are the input rows that each output row stems from, or null
 * where they are the chunk's own row numbers, counted from the batch's first output row.
 */
export interface DecodedChunk {
  readonly count: number;
  readonly parents: readonly number[] | null;
  readonly columns: ReadonlyMap<string, readonly Json[]>;
}

/** The canonical JSON of a row's added columns. Throws a `TypeError` for what JSON cannot hold. */
export const encodeValues = (values: readonly unknown[]): readonly string[] => values.map(canonicalJson);

/** Bytes of an encoded row, as bounds count them. To count them V8 makes each text one piece, so a short one that was cut out of a large one lets go of it. */
export function rowBytes(values: readonly string[]): number {
  let bytes = 0;
  for (const value of values) bytes += Buffer.byteLength(value) + 1;
  return bytes;
}

/** Rows of one chunk to be: as many as a chunk may have. Kept by column, as they will be written. */
export class ChunkBuilder {
  readonly #columns: readonly string[];
  readonly #hasParents: boolean;
  #texts: string[][];
  #parents: number[] = [];
  #bytes = 0;

  /** `hasParents`: false where no row stems from one input row. */
  constructor(columns: readonly string[], hasParents: boolean) {
    this.#columns = columns;
    this.#hasParents = hasParents;
    this.#texts = columns.map(() => []);
  }

  get count(): number {
    return this.#parents.length;
  }

  /** Whether a row of so many bytes belongs into the next chunk. */
  isFullFor(bytes: number): boolean {
    return this.count >= chunkRowsMax || (this.count > 0 && this.#bytes + bytes > chunkBytesMax);
  }

  /** Adds an output row: the canonical JSON of each added column, in the step's order, and the input row that it stems from. */
  add(values: readonly string[], parent: number, bytes: number): void {
    for (let index = 0; index < this.#texts.length; index++) this.#texts[index]?.push(values[index] as string);
    this.#parents.push(parent);
    this.#bytes += bytes;
  }

  /** Adds the output row whose values stand in columns, under the number of the input row that it stems from. */
  addFrom(columns: readonly (readonly string[])[], row: number, bytes: number): void {
    for (let index = 0; index < this.#texts.length; index++) this.#texts[index]?.push(columns[index]?.[row] as string);
    this.#parents.push(row);
    this.#bytes += bytes;
  }

  /** The chunk, whose first row is the batch's output row `first`; the next one begins empty. */
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

/** A chunk with what one has to know to use it elsewhere: `first` is where it has to begin in its batch, null if it may anywhere. */
export interface BuiltChunk {
  readonly chunk: Chunk;
  readonly rows: number;
  readonly first: number | null;
}

/**
 * What a chunk of rows holds, frozen at every depth: the next step sees what a resumed run would see. Throws `Fault('chunk-corrupted')`, also where it does
 * not have as many rows as are expected of it.
 */
export function decodeChunk(bytes: Uint8Array, rows?: number): DecodedChunk {
  const stored = parse(bytes);
  if (!isStoredRows(stored)) throw corrupted('does not hold rows');
  const { columns, count, parents } = stored;
  if (rows !== undefined && count !== rows) throw corrupted(`holds ${count} rows where an event says ${rows}`);
  for (const [, values] of columns) for (const value of values) deepFreeze(value, 0);
  return { count, parents: parents ?? null, columns: new Map(columns) };
}

interface StoredRows {
  readonly columns: readonly (readonly [string, readonly Json[]])[];
  readonly count: number;
  readonly parents?: readonly number[];
}

/** Whether each column has a value a row. Checked by hand: it is read a thousand times as often as anything else. */
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

/** A chunk that holds one JSON document: a definition, a list of rejections. */
export const documentChunk = (document: unknown): Chunk => chunkOf(canonicalJson(document));

/** What of a zod schema is needed to read a document. */
interface DocumentSchema<T> {
  safeParse(document: unknown): { readonly success: true; readonly data: T } | { readonly success: false; readonly error: unknown };
}

/** The document of such a chunk, as its schema has it. Throws `Fault('chunk-corrupted')`. */
export function decodeDocument<T>(bytes: Uint8Array, documentSchema: DocumentSchema<T>): T {
  const document = parse(bytes);
  let parsed: ReturnType<typeof documentSchema.safeParse>;
  try {
    parsed = documentSchema.safeParse(document);
  } catch (cause) {
    // Nested so deep that the schema's recursion has no room.
    throw corrupted('holds a document that cannot be read', cause);
  }
  if (!parsed.success) throw corrupted('holds a document of another shape', parsed.error);
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
    throw corrupted('is not JSON', cause);
  }
}

const corrupted = (what: string, cause?: unknown): Fault =>
  new Fault('chunk-corrupted', `A stored chunk ${what}; distilog verify names the position that refers to it.`, { cause });

/** Levels of a stored value: more than any that distilog writes. */
const depthMax = 2_000;

function deepFreeze(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (depth > depthMax) throw corrupted(`holds a value of more than ${depthMax} levels`);
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member, depth + 1);
}
