import { Buffer } from 'node:buffer';
import { needle, type Needle } from './needle.ts';
import { bytesOf, decodedOnce, type DecodedText } from './decoded-text.ts';

/** How a secret may stand in a text, by how that text is looked at. */
export interface WrittenSecret {
  /** As it is. */
  readonly plain: readonly Needle[];
  /** In a text whose escapes were decoded. */
  readonly decoded: readonly Needle[];
  /** The same, with a space for each plus, as forms are encoded. */
  readonly form: readonly Needle[];
  /** In hexadecimal, lower case and without what stands between bytes. */
  readonly hex: readonly Needle[];
  /** In base64, without line breaks. */
  readonly base64: readonly Needle[];
}

/** Forms that are shorter would tear ordinary words apart. */
const lengthMin = 4;
const plus = 0x2b;
const space = 0x20;
/** Levels of escapes that are decoded: JSON within JSON within a URL, and more. */
export const levelsMax = 5;

/** The forms of a secret. */
export function writtenSecret(secret: string): WrittenSecret {
  const plain = Buffer.from(secret.toWellFormed());
  const variants = unique([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), formEncoded(secret)]);
  const encodings = variants.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()]);
  const decoded = decodedForms(secret);
  const base64 = unique(encodings.flatMap(base64Within));
  const hex = unique(encodings.map((bytes) => bytes.toString('hex')));
  // One within the other, as headers within tokens are.
  const nested = [...base64, ...hex].map((text) => Buffer.from(text));
  return {
    plain: longEnough([plain]),
    decoded: longEnough(decoded),
    form: longEnough(decoded.map((bytes) => bytes.map((byte) => (byte === plus ? space : byte)))),
    hex: longEnough([...hex, ...nested.map((bytes) => bytes.toString('hex'))].map((text) => Buffer.from(text))),
    base64: longEnough(unique([...base64, ...nested.flatMap(base64Within)]).map((text) => Buffer.from(text))),
  };
}

/** What a secret becomes when a text in which it stands is decoded: it may look like an escape itself. */
function decodedForms(secret: string): readonly Uint8Array[] {
  const forms: Uint8Array[] = [];
  let text: DecodedText | null = bytesOf(secret.toWellFormed());
  for (let level = 0; text !== null && level <= levelsMax; level++) {
    forms.push(text.bytes);
    text = decodedOnce(text);
  }
  return forms;
}

const formEncoded = (secret: string): string => new URLSearchParams([['', secret.toWellFormed()]]).toString().slice(1);

/** The characters that bytes have in the base64 of a text in which they stand, whatever stands before them: `user:secret`, say. */
const base64Within = (bytes: Buffer): readonly string[] =>
  [0, 1, 2].map((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]);
    return all.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6));
  });

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

function longEnough(forms: readonly Uint8Array[]): readonly Needle[] {
  const byText = new Map(forms.filter(({ length }) => length >= lengthMin).map((bytes) => [Buffer.from(bytes).toString('latin1'), bytes]));
  return Array.from(byText.values(), needle);
}
