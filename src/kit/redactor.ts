import { Buffer } from 'node:buffer';
import { bytesOf, decodedOnce, mapped, placeIn, type DecodedText } from './decoded-text.ts';
import { beginningBefore, endAtStart, type Needle } from './needle.ts';
import { levelsMax, writtenSecret, type WrittenSecret } from './written-secret.ts';

/** Takes secrets out of a text. Of a text longer than `lengthMax` it gives the beginning, and says how long it was. */
export type Redact = (text: string, lengthMax?: number) => string;

/** Shortest secrets that are looked for. Shorter ones stand in ordinary words. */
export const secretLengthMin = 4;

/** Texts whose result is remembered, and how long they are at most. */
const knownMax = 500;
const knownLengthMax = 4 * 1024;
/** Characters that are looked at together: a long text costs no more memory than so many. */
const windowLength = 64 * 1024;
/** How many times as long as a secret any of its written forms is at most. */
const expansionMax = 24;
/** Bytes of a secret's form that give it away where a text was cut within it. */
const partMin = 8;
/** Places at which a text says that it was cut. */
const cutsMax = 100;

type Span = readonly [from: number, to: number];

/**
 * Makes a function that takes secrets out of texts, however they are written: with escapes of JSON, URLs, forms and HTML, one within another; in
 * hexadecimal, base64 or base64url, wrapped or not; as UTF-16; and the part of one that is left where a text was cut. Texts are decoded and searched, and
 * what a find stems from is masked. Time grows with the text's length and nothing else.
 */
export function redactor(secrets: readonly string[], mask: string): Redact {
  const looked = secrets.filter(({ length }) => length >= secretLengthMin);
  if (looked.length === 0) return (text, lengthMax = text.length) => clipped(text, lengthMax, lengthMax);
  const written = looked.map(writtenSecret);
  const reach = expansionMax * Math.max(...looked.map(({ length }) => length));
  // Of a step that fails, and of a model that answers, most texts are the same.
  const known = new Map<string, string>();
  const remembered = (text: string): string => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const redacted = masked(text, spansIn(text, written, reach), mask, text.length);
    if (text.length <= knownLengthMax) {
      if (known.size >= knownMax) known.clear();
      known.set(text, redacted);
    }
    return redacted;
  };
  return (text, lengthMax = text.length) => {
    if (text.length <= lengthMax) return remembered(text);
    // What stands across the cut would be found in part only: the part before it goes, too.
    const seen = text.slice(0, lengthMax + reach);
    return `${masked(seen, spansIn(seen, written, reach), mask, lengthMax)}${cutNote(text.length)}`;
  };
}

const cutNote = (length: number): string => ` … (${length} characters)`;

const clipped = (text: string, length: number, lengthMax: number): string =>
  text.length <= lengthMax ? text : `${text.slice(0, length)}${cutNote(text.length)}`;

/** Whether a text holds all of a secret, however it is written. */
export const holdsSecret = (text: string, secret: string): boolean =>
  secret.length >= secretLengthMin && spansIn(text, [writtenSecret(secret)], expansionMax * secret.length, false).length > 0;

/** A text up to `end` with spans of it masked. */
function masked(text: string, spans: readonly Span[], mask: string, end: number): string {
  let result = '';
  let at = 0;
  for (const [from, to] of spans) {
    if (from >= end) break;
    result += text.slice(at, from) + mask;
    at = to;
  }
  return at < end ? result + text.slice(at, end) : result;
}

/** Where secrets stand in a text: disjoint, ascending. */
function spansIn(text: string, written: readonly WrittenSecret[], reach: number, findsParts = true): readonly Span[] {
  const spans: Span[] = [];
  const step = Math.max(windowLength, 4 * reach);
  for (let start = 0; start < text.length; start += step) {
    const from = Math.max(0, start - reach);
    const part = text.slice(from, start + step + reach);
    for (const [a, b] of spansOf(part, written, findsParts)) spans.push([from + a, from + b]);
  }
  return merged(spans);
}

function merged(spans: Span[]): readonly Span[] {
  spans.sort(([a], [b]) => a - b);
  const all: [number, number][] = [];
  for (const [from, to] of spans) {
    const last = all.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

function spansOf(text: string, written: readonly WrittenSecret[], findsParts: boolean): readonly Span[] {
  const spans: Span[] = [];
  const how = { spans, findsParts };
  let layer: DecodedText | null = bytesOf(text);
  for (let level = 0; layer !== null && level <= levelsMax; level++) {
    const hex = mapped(layer, asHex);
    const base64 = mapped(layer, asBase64);
    const form = layer.bytes.includes(plus) ? mapped(layer, asForm) : null;
    for (const forms of written) {
      find(layer, level === 0 ? forms.plain : forms.decoded, how);
      if (form) find(form, forms.form, how);
      find(hex, forms.hex, how);
      find(base64, forms.base64, how, isBase64);
    }
    layer = decodedOnce(layer);
  }
  return spans;
}

interface Search {
  readonly spans: Span[];
  /** Whether a part of a secret counts where the text was cut. */
  readonly findsParts: boolean;
}

/** Finds forms in a text, whole or cut. `isOwn`: a character beside a find that holds some of its bits. */
function find(text: DecodedText, forms: readonly Needle[], { spans, findsParts }: Search, isOwn: Uint8Array = none): void {
  const { bytes } = text;
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cuts = cutsOf(haystack);
  const push = (start: number, end: number): void => {
    const isNext = (at: number): boolean => at > 0 && at < bytes.length && placeIn(text, at - 1, at)[1] === placeIn(text, at, at + 1)[0];
    const first = isNext(start) && isOwn[bytes[start - 1] as number] === 1 ? start - 1 : start;
    const last = isNext(end) && isOwn[bytes[end] as number] === 1 ? end + 1 : end;
    spans.push(placeIn(text, first, last));
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

/** Where a text ends, and where it says that something was left out. */
function cutsOf(bytes: Buffer): readonly number[] {
  const cuts = [bytes.length];
  for (let at = bytes.indexOf(ellipsis); at >= 0 && cuts.length < cutsMax; at = bytes.indexOf(ellipsis, at + 1)) cuts.push(at);
  return cuts;
}

const plus = '+'.charCodeAt(0);
const none = new Uint8Array(256);
const isBase64 = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') isBase64[character.charCodeAt(0)] = 1;

const everyByte = Int16Array.from({ length: 256 }, (_, byte) => byte);
const asBase64 = everyByte.slice();
const asHex = everyByte.slice();
for (const space of ' \t\r\n') asBase64[space.charCodeAt(0)] = asHex[space.charCodeAt(0)] = -1;
asHex[':'.charCodeAt(0)] = -1;
asBase64['-'.charCodeAt(0)] = plus;
const asForm = everyByte.slice();
asForm[plus] = ' '.charCodeAt(0);
asBase64['_'.charCodeAt(0)] = '/'.charCodeAt(0);
for (let letter = 65; letter <= 70; letter++) asHex[letter] = letter + 32;
