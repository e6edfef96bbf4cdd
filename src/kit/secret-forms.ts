import { Buffer } from 'node:buffer';
import { needle, type Needle } from './needle.ts';
import { bytesOf, decodeOnce, type DecodedText } from './decoded-text.ts';

/** The forms in which a secret may be part of a text, by how that text is read. */
export interface SecretForms {
  /** In the text as it is. */
  readonly plain: readonly Needle[];
  /** In a text whose escapes were decoded. */
  readonly decoded: readonly Needle[];
  /** In a decoded text whose pluses were replaced by spaces, as in URL-encoded forms. */
  readonly form: readonly Needle[];
  /** In hexadecimal, in lower case and without separators. */
  readonly hex: readonly Needle[];
  /** In base64, without line breaks. */
  readonly base64: readonly Needle[];
}

/** Length of the shortest forms. Shorter ones would mask parts of ordinary words. */
const lengthMin = 4;
const plus = 0x2b;
const space = 0x20;
/** Levels of nested escapes that are decoded: JSON within JSON within a URL, and more. */
export const levelsMax = 5;

/** Returns the forms of a secret. */
export function secretForms(secret: string): SecretForms {
  const plain = Buffer.from(secret.toWellFormed());
  const variants = unique([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), formEncode(secret)]);
  const encodings = variants.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()]);
  const decoded = decodedForms(secret);
  const base64 = unique(encodings.flatMap(base64Within));
  const hex = unique(encodings.map((bytes) => bytes.toString('hex')));
  // Encodings may be nested, such as a header within a token.
  const nested = [...base64, ...hex].map((text) => Buffer.from(text));
  return {
    plain: needlesOf([plain]),
    decoded: needlesOf(decoded),
    form: needlesOf(decoded.map((bytes) => bytes.map((byte) => (byte === plus ? space : byte)))),
    hex: needlesOf([...hex, ...nested.map((bytes) => bytes.toString('hex'))].map((text) => Buffer.from(text))),
    base64: needlesOf(unique([...base64, ...nested.flatMap(base64Within)]).map((text) => Buffer.from(text))),
  };
}

/** Returns what a secret becomes when the text around it is decoded: it may look like an escape itself. */
function decodedForms(secret: string): readonly Uint8Array[] {
  const forms: Uint8Array[] = [];
  let text: DecodedText | null = bytesOf(secret.toWellFormed());
  for (let level = 0; text !== null && level <= levelsMax; level++) {
    forms.push(text.bytes);
    text = decodeOnce(text);
  }
  return forms;
}

const formEncode = (secret: string): string => new URLSearchParams([['', secret.toWellFormed()]]).toString().slice(1);

/** Returns the characters of bytes in the base64 of any text that contains them, such as `user:secret`, for each possible alignment. */
const base64Within = (bytes: Buffer): readonly string[] =>
  [0, 1, 2].map((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]);
    return all.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6));
  });

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

function needlesOf(forms: readonly Uint8Array[]): readonly Needle[] {
  const byText = new Map(forms.filter(({ length }) => length >= lengthMin).map((bytes) => [Buffer.from(bytes).toString('latin1'), bytes]));
  return Array.from(byText.values(), needle);
}
