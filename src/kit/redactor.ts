import { Buffer } from 'node:buffer';

/** Secrets, and written forms of them, that are shorter would tear ordinary words apart. */
const lengthMin = { plain: 4, written: 8 } as const;

/** Takes secrets out of texts, also where they are written as JSON, in a URL or in base64: servers say again what was sent to them. */
export function redactor(secrets: readonly string[], mask: string): (text: string) => string {
  const hidden = secrets
    .filter(({ length }) => length >= lengthMin.plain)
    .flatMap((secret) => [secret, ...writtenForms(secret).filter(({ length }) => length >= lengthMin.written)])
    .sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((redacted, form) => redacted.replaceAll(form, mask), text);
}

function writtenForms(secret: string): readonly string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  const base64 = [0, 1, 2].map((before) => base64Within(secret, before));
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [inJson, encodeURIComponent(secret.toWellFormed()), ...base64, ...base64url];
}

/** The characters that a secret has in the base64 of a text in which it stands, if so many bytes (modulo 3) stand before it: `user:secret`, say. */
function base64Within(secret: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
}
