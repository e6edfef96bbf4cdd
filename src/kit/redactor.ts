import { Buffer } from 'node:buffer';
import { bytesOf, decodeOnce, mapBytes, sourceRange, type DecodedText } from './decoded-text.ts';
import { beginningBefore, endAtStart, type Needle } from './needle.ts';
import { levelsMax, secretForms, type SecretForms } from './secret-forms.ts';

/** Removes secrets from a text. Cuts a text that is longer than `lengthMax`, and appends its original length. */
export type Redact = (text: string, lengthMax?: number) => string;

/** Length of the shortest secrets that are searched for. Shorter ones are part of ordinary words. */
export const secretLengthMin = 4;

/** Maximum number of texts whose result is memoized, and maximum length of such a text. */
const memoizedMax = 500;
const memoizedLengthMax = 4 * 1024;
/** Characters that are searched together. Limits the memory that a long text costs. */
const windowLength = 64 * 1024;
/** Longest form of a secret, as a multiple of its length. */
const expansionMax = 24;
/** Minimum number of bytes that identify a secret if a cut in the text left only a part of it. */
const partMin = 8;
/** Maximum number of cut marks that are examined in a text. */
const cutsMax = 100;

type Span = readonly [from: number, to: number];

/**
 * Returns a function that removes secrets from texts, however they are written: with nested escapes of JSON, URLs, forms and HTML; in hexadecimal, base64
 * or base64url, wrapped or not; as UTF-16; and the part of a secret that is left at a cut. Texts are decoded and searched, and the original characters of
 * each match are masked. The time depends on the text's length only.
 */
export function redactor(secrets: readonly string[], mask: string): Redact {
  const searched = secrets.filter(({ length }) => length >= secretLengthMin);
  if (searched.length === 0) return (text, lengthMax = text.length) => clip(text, lengthMax, lengthMax);
  const forms = searched.map(secretForms);
  const reach = expansionMax * Math.max(...searched.map(({ length }) => length));
  // Most texts of a failing step or an answering model are the same.
  const memoized = new Map<string, string>();
  const redactMemoized = (text: string): string => {
    const result = memoized.get(text);
    if (result !== undefined) return result;
    const redacted = maskSpans(text, spansIn(text, forms, reach), mask, text.length);
    if (text.length <= memoizedLengthMax) {
      if (memoized.size >= memoizedMax) memoized.clear();
      memoized.set(text, redacted);
    }
    return redacted;
  };
  return (text, lengthMax = text.length) => {
    if (text.length <= lengthMax) return redactMemoized(text);
    // Search beyond the cut: of a secret that crosses it, only a part would be found otherwise.
    const searchedText = text.slice(0, lengthMax + reach);
    return `${maskSpans(searchedText, spansIn(searchedText, forms, reach), mask, lengthMax)}${cutNote(text.length)}`;
  };
}

const cutNote = (length: number): string => ` … (${length} characters)`;

const clip = (text: string, length: number, lengthMax: number): string =>
  text.length <= lengthMax ? text : `${text.slice(0, length)}${cutNote(text.length)}`;

/** Returns whether a text contains a whole secret, in any form. */
export const holdsSecret = (text: string, secret: string): boolean =>
  secret.length >= secretLengthMin && spansIn(text, [secretForms(secret)], expansionMax * secret.length, false).length > 0;

/** Returns a text up to `end` with spans of it masked. */
function maskSpans(text: string, spans: readonly Span[], mask: string, end: number): string {
  let result = '';
  let at = 0;
  for (const [from, to] of spans) {
    if (from >= end) break;
    result += text.slice(at, from) + mask;
    at = to;
  }
  return at < end ? result + text.slice(at, end) : result;
}

/** Returns the spans of secrets in a text: disjoint, ascending. */
function spansIn(text: string, secrets: readonly SecretForms[], reach: number, findsParts = true): readonly Span[] {
  const spans: Span[] = [];
  const step = Math.max(windowLength, 4 * reach);
  for (let start = 0; start < text.length; start += step) {
    const from = Math.max(0, start - reach);
    const part = text.slice(from, start + step + reach);
    for (const [a, b] of spansOf(part, secrets, findsParts)) spans.push([from + a, from + b]);
  }
  return mergeSpans(spans);
}

function mergeSpans(spans: Span[]): readonly Span[] {
  spans.sort(([a], [b]) => a - b);
  const all: [number, number][] = [];
  for (const [from, to] of spans) {
    const last = all.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

function spansOf(text: string, secrets: readonly SecretForms[], findsParts: boolean): readonly Span[] {
  const spans: Span[] = [];
  const search = { spans, findsParts };
  let layer: DecodedText | null = bytesOf(text);
  for (let level = 0; layer !== null && level <= levelsMax; level++) {
    const hex = mapBytes(layer, hexMap);
    const base64 = mapBytes(layer, base64Map);
    const form = layer.bytes.includes(plus) ? mapBytes(layer, formMap) : null;
    for (const forms of secrets) {
      find(layer, level === 0 ? forms.plain : forms.decoded, search);
      if (form) find(form, forms.form, search);
      find(hex, forms.hex, search);
      find(base64, forms.base64, search, isBase64);
    }
    layer = decodeOnce(layer);
  }
  return spans;
}

interface Search {
  readonly spans: Span[];
  /** Whether a part of a secret at a cut of the text counts. */
  readonly findsParts: boolean;
}

/** Finds forms in a text, whole or cut. `isOwn`: the characters that, next to a match, hold some of its bits. */
function find(text: DecodedText, forms: readonly Needle[], { spans, findsParts }: Search, isOwn: Uint8Array = noCharacters): void {
  const { bytes } = text;
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cuts = cutsOf(haystack);
  const push = (start: number, end: number): void => {
    const isNext = (at: number): boolean =>
      at > 0 && at < bytes.length && sourceRange(text, at - 1, at)[1] === sourceRange(text, at, at + 1)[0];
    const first = isNext(start) && isOwn[bytes[start - 1] as number] === 1 ? start - 1 : start;
    const last = isNext(end) && isOwn[bytes[end] as number] === 1 ? end + 1 : end;
    spans.push(sourceRange(text, first, last));
  };
  for (const form of forms) {
    const { length } = form.bytes;
    for (let at = haystack.indexOf(form.bytes); at >= 0; at = haystack.indexOf(form.bytes, at + length)) push(at, at + length);
    if (!findsParts || length <= partMin) continue;
    for (const cut of cuts) {
      const before = beginningBefore(bytes, cut, form);
      if (before >= partMin) push(cut - before, cut);
    }
    const after = endAtStart(bytes, form);
    if (after >= partMin) push(0, after);
  }
}

const ellipsis = Buffer.from('…');

/** Returns the end of a text, and the positions of its ellipses. */
function cutsOf(bytes: Buffer): readonly number[] {
  const cuts = [bytes.length];
  for (let at = bytes.indexOf(ellipsis); at >= 0 && cuts.length < cutsMax; at = bytes.indexOf(ellipsis, at + 1)) cuts.push(at);
  return cuts;
}

const plus = '+'.charCodeAt(0);
const noCharacters = new Uint8Array(256);
const isBase64 = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') isBase64[character.charCodeAt(0)] = 1;

const identityMap = Int16Array.from({ length: 256 }, (_, byte) => byte);
const base64Map = identityMap.slice();
const hexMap = identityMap.slice();
for (const space of ' \t\r\n') base64Map[space.charCodeAt(0)] = hexMap[space.charCodeAt(0)] = -1;
hexMap[':'.charCodeAt(0)] = -1;
base64Map['-'.charCodeAt(0)] = plus;
const formMap = identityMap.slice();
formMap[plus] = ' '.charCodeAt(0);
base64Map['_'.charCodeAt(0)] = '/'.charCodeAt(0);
for (let letter = 65; letter <= 70; letter++) hexMap[letter] = letter + 32;
