// One-dimensional arrays in PostgreSQL's binary format, which `pg` sends unchanged. In an array's text format, every quote of an event's JSON would be
// escaped here and unescaped by the server, which took as long as the rest of an append.

const oidInt8 = 20;
const oidInt4 = 23;
const oidText = 25;
const oidBytea = 17;

/** Head of an array: number of dimensions, null flag, element type, element count and first subscript, 4 bytes each. */
const headBytes = 20;
/** Length before each element, which is -1 for null. */
const lengthBytes = 4;
const nullLength = -1;
const sha256Bytes = 32;

/** Encodes a `text[]`. */
export function encodeTextArray(values: readonly (string | null)[]): Buffer {
  let bytes = headBytes;
  for (const value of values) bytes += lengthBytes + (value === null ? 0 : Buffer.byteLength(value));
  const array = allocateArray(bytes, oidText, values);
  let at = headBytes;
  for (const value of values) {
    const length = value === null ? nullLength : array.write(value, at + lengthBytes);
    array.writeInt32BE(length, at);
    at += lengthBytes + Math.max(0, length);
  }
  return array;
}

/** Encodes a `bytea[]`. */
export function encodeByteaArray(values: readonly Uint8Array[]): Buffer {
  const array = allocateArray(
    values.reduce((bytes, value) => bytes + lengthBytes + value.byteLength, headBytes),
    oidBytea,
    values,
  );
  let at = headBytes;
  for (const value of values) {
    array.writeInt32BE(value.byteLength, at);
    array.set(value, at + lengthBytes);
    at += lengthBytes + value.byteLength;
  }
  return array;
}

/** Encodes a `bytea[]` of SHA-256 digests, which are given in hexadecimal. */
export function encodeSha256Array(values: readonly string[]): Buffer {
  const array = allocateArray(headBytes + values.length * (lengthBytes + sha256Bytes), oidBytea, values);
  let at = headBytes;
  for (const value of values) {
    array.writeInt32BE(sha256Bytes, at);
    array.write(value, at + lengthBytes, 'hex');
    at += lengthBytes + sha256Bytes;
  }
  return array;
}

/** Encodes an `integer[]`. */
export const encodeIntegerArray = (values: readonly (number | null)[]): Buffer =>
  encodeNumberArray(values, oidInt4, 4, (array, value, at) => array.writeInt32BE(value, at));

/** Encodes a `bigint[]`. */
export const encodeBigintArray = (values: readonly (number | null)[]): Buffer =>
  encodeNumberArray(values, oidInt8, 8, (array, value, at) => array.writeBigInt64BE(BigInt(value), at));

function encodeNumberArray(
  values: readonly (number | null)[],
  oid: number,
  valueBytes: number,
  write: (array: Buffer, value: number, at: number) => void,
): Buffer {
  const nulls = values.reduce<number>((count, value) => count + (value === null ? 1 : 0), 0);
  const array = allocateArray(headBytes + values.length * lengthBytes + (values.length - nulls) * valueBytes, oid, values);
  let at = headBytes;
  for (const value of values) {
    array.writeInt32BE(value === null ? nullLength : valueBytes, at);
    at += lengthBytes;
    if (value === null) continue;
    write(array, value, at);
    at += valueBytes;
  }
  return array;
}

function allocateArray(bytes: number, oid: number, values: readonly unknown[]): Buffer {
  const array = Buffer.allocUnsafe(bytes);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  array.writeInt32BE(oid, 8);
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  return array;
}
