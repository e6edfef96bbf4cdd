import type { ParquetParsers, SchemaTree } from 'hyparquet';
import { takesOnlyText } from './column-kinds.ts';
import { itemSchema, kindsOf, memberSchema, type Schema } from './json-schema.ts';
import { textValue } from './text-value.ts';

/** A value that JSON cannot hold, with its description for messages. */
export class NotJson {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/** Converts Parquet's own types. Dates and times become texts (ISO 8601); a time without a zone counts as UTC. */
export const parquetParsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis: bigint | null | undefined) => isoTimestamp(millis, 1_000_000n),
  timestampFromMicroseconds: (micros: bigint | null | undefined) => isoTimestamp(micros, 1_000n),
  timestampFromNanoseconds: (nanos: bigint | null | undefined) => isoTimestamp(nanos, 1n),
  dateFromDays: (days: number | null | undefined) => {
    const iso = isoTimestamp(days, 86_400_000_000_000n);
    return typeof iso === 'string' ? iso.slice(0, iso.indexOf('T')) : iso;
  },
  stringFromBytes: textOf,
  jsonFromBytes: (bytes: Uint8Array | undefined) => {
    const text = textOf(bytes);
    try {
      return typeof text === 'string' ? (JSON.parse(text) as unknown) : text;
    } catch {
      return new NotJson('a text that should be JSON but is not');
    }
  },
};

/**
 * Replaces the text `__proto__` until the reader has built a value. The reader builds objects from maps key by key and would lose this key. As a key it becomes
 * a text that occurs in no file.
 */
const prototypeText = Object.freeze({ toString: () => prototypeKey });
const prototypeKey = '\u0000distilog:__proto__';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array | null | undefined): unknown {
  if (!bytes) return null;
  try {
    const text = utf8.decode(bytes);
    return text === '__proto__' ? prototypeText : text;
  } catch {
    return new NotJson(`${bytes.byteLength} bytes that are not UTF-8`);
  }
}

const nanosOfMilli = 1_000_000n;
const nanosOfSecond = 1_000_000_000n;

/** The largest date in JavaScript, in milliseconds. */
const timeMax = 8.64e15;

function isoTimestamp(count: bigint | number | null | undefined, nanosEach: bigint): unknown {
  if (count === null || count === undefined) return null;
  const nanos = BigInt(count) * nanosEach;
  const within = ((nanos % nanosOfMilli) + nanosOfMilli) % nanosOfMilli;
  const millis = Number((nanos - within) / nanosOfMilli);
  if (Math.abs(millis) > timeMax) return new NotJson('a time beyond the year 275760');
  const digits = String(within).padStart(6, '0').replace(/0+$/, '');
  return new Date(millis).toISOString().replace('Z', `${digits}Z`);
}

/** Formats a time of day: `09:30:00.5`. */
function isoTime(nanos: bigint): string {
  const seconds = nanos / nanosOfSecond;
  const two = (value: bigint) => String(value).padStart(2, '0');
  const digits = String(nanos % nanosOfSecond)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${digits === '' ? '' : `.${digits}`}`;
}

/**
 * Converts a value of the Parquet reader to JSON. A missing value is null, and integers and decimals become numbers if a number holds them exactly. `schema` is
 * the column's schema: if it does not accept texts, a text is read as JSON, and a null member is left out if it may be missing but not null.
 */
export function jsonValue(value: unknown, node: SchemaTree, schema: Schema): unknown {
  if (value === null || value === undefined || value instanceof NotJson) return value ?? null;
  if (value === prototypeText) return jsonValue('__proto__', node, schema);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array && node.element.type?.endsWith('BYTE_ARRAY')) return new NotJson(`${value.byteLength} bytes`);
    const item = itemNode(node);
    return firstNotJson(Array.from(value as ArrayLike<unknown>, (each, index) => jsonValue(each, item, itemSchema(schema, index))));
  }
  switch (typeof value) {
    case 'string': {
      const kinds = kindsOf(schema);
      if (schema === undefined || takesOnlyText(kinds)) return value;
      const read = textValue(value, kinds);
      return read.ok ? read.value : value;
    }
    case 'number':
    case 'bigint':
      return numberValue(value, node, schema);
    case 'object':
      return objectValue(value, node, schema);
    default:
      return value;
  }
}

function numberValue(value: number | bigint, { element }: SchemaTree, schema: Schema): unknown {
  const { logical_type: logical, converted_type: converted, scale = 0 } = element;
  const unit =
    logical?.type === 'TIME' ? logical.unit : converted === 'TIME_MILLIS' ? 'MILLIS' : converted === 'TIME_MICROS' ? 'MICROS' : null;
  if (unit !== null) return isoTime(BigInt(value) * (unit === 'MILLIS' ? nanosOfMilli : unit === 'MICROS' ? 1_000n : 1n));
  if (converted === 'DECIMAL') {
    const decimal = Number(value);
    return Math.abs(decimal) * 10 ** scale <= Number.MAX_SAFE_INTEGER
      ? Number(decimal.toFixed(scale))
      : new NotJson('a decimal with more digits than a number holds exactly');
  }
  if (typeof value === 'number') return value;
  // A column of texts also accepts long integers, which are mostly identifiers.
  if (takesOnlyText(kindsOf(schema))) return String(value);
  const number = Number(value);
  return Number.isSafeInteger(number)
    ? number
    : new NotJson(`${value}, an integer that a number does not hold exactly (z.string() takes it)`);
}

function objectValue(value: object, node: SchemaTree, schema: Schema): unknown {
  const [repeated] = node.children;
  const mapValue = node.children.length === 1 && repeated?.element.repetition_type === 'REPEATED' ? repeated.children[1] : undefined;
  const entries: [string, unknown][] = [];
  for (const [name, each] of Object.entries(value)) {
    const child = mapValue ?? node.children.find(({ element }) => element.name === name);
    const member = memberSchema(schema, name);
    const read = child ? jsonValue(each, child, member.schema) : each;
    if (read instanceof NotJson) return read;
    if (read === null && member.mayBeMissing && kindsOf(member.schema)?.has('null') === false) continue;
    entries.push([name === prototypeKey ? '__proto__' : name, read]);
  }
  return Object.fromEntries(entries);
}

/** Returns the node of a list's items. A list has up to two groups around its items. */
function itemNode(node: SchemaTree): SchemaTree {
  const [repeated] = node.children;
  if (node.children.length !== 1 || repeated?.element.repetition_type !== 'REPEATED') return node;
  const [only] = repeated.children;
  return only && repeated.children.length === 1 ? only : repeated;
}

const firstNotJson = (values: readonly unknown[]): unknown => values.find((value) => value instanceof NotJson) ?? values;
