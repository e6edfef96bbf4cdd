import fs from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { messageOf } from '../../kit/fault.ts';
import type { Json, JsonObject } from '../../kit/json.ts';
import { jsonDifferences } from './json-differences.ts';

/** The result of checking a card. */
export interface CheckedCard {
  readonly differences: readonly string[];
  /** Statements in the card that do not come from the log. */
  readonly unproven: readonly string[];
}

const name = 'README.md';

/**
 * Compares a card with the one that an export writes. The front matter decides what `load_dataset` reads, so every reader of YAML must see the same members
 * that distilog writes. Additional members and the text below are reported as not coming from the log.
 */
export function checkCard(directory: string, expectedText: string, expected: JsonObject): CheckedCard {
  const file = path.join(directory, name);
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!stat) return { differences: [`${name} is missing, so readers would guess the configs`], unproven: [] };
  if (!stat.isFile()) return { differences: [`${name} is a link or not a regular file`], unproven: [] };
  const text = fs.readFileSync(file, 'utf8');
  if (text === expectedText) return { differences: [], unproven: [] };
  // Only some readers take it as a line end, so they differ on where the front matter ends.
  if (/\r(?!\n)/.test(text)) return { differences: [`${name} has a carriage return without a line feed`], unproven: [] };
  const found = split(text);
  const own = split(expectedText);
  if (!found) return { differences: [`${name} has no front matter, which defines the configs`], unproven: [] };
  const isBodyOwn = found.body === own?.body;
  const body = isBodyOwn ? [] : [`the text of ${name} below its front matter is not the one that distilog writes`];
  if (found.front === own?.front) return { differences: [], unproven: body };
  const { differences, added } = compareFront(found.front, expected);
  const members = added.length > 0 ? [`the front matter of ${name} has members that do not come from the log: ${added.join(', ')}`] : [];
  return { differences, unproven: [...members, ...body] };
}

/** Splits a card as `huggingface_hub` does: the front matter ends at the next line that begins with three dashes. */
function split(text: string): { readonly front: string; readonly body: string } | null {
  const [, front, body] = /^---\r?\n([\s\S]*?)[\r\n]+---(?:\r\n|\r|\n|$)([\s\S]*)$/.exec(text) ?? [];
  return front === undefined || body === undefined ? null : { front, body };
}

/** Characters that only some readers of YAML take as line ends, and others that no card needs. */
// oxlint-disable-next-line no-control-regex -- The pattern searches for them.
const oddCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff]/;

function compareFront(front: string, expected: JsonObject): { readonly differences: readonly string[]; readonly added: readonly string[] } {
  if (oddCharacter.test(front)) return { differences: [`${name} has control characters in its front matter`], added: [] };
  try {
    // YAML versions differ on the type of a plain text, so the card must mean the same in both.
    const [first, second] = (['1.2', '1.1'] as const).map((version) => frontOf(front, version)) as [JsonObject, JsonObject];
    const differences = [first, second].map((found) => memberDifferences(found, expected));
    // Some readers merge `<<` into the mapping, and others keep it as a member.
    if (Object.hasOwn(first, '<<')) return { differences: [`${name} merges members into its front matter (<<)`], added: [] };
    const added = Object.keys(first).filter((key) => !Object.hasOwn(expected, key));
    return { differences: [...new Set(differences.flat())].map((difference) => `${name}: ${difference}`), added };
  } catch (error) {
    return { differences: [`${name} has a front matter that cannot be read as YAML: ${messageOf(error)}`], added: [] };
  }
}

function frontOf(front: string, version: '1.1' | '1.2'): JsonObject {
  const document = parseDocument(front, { version, merge: false, uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw problem;
  // An alias can stand for anything, and only some readers support merge keys.
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is not a mapping');
  return value as JsonObject;
}

/** Compares the members that distilog writes. Additional tags are allowed. */
function memberDifferences(found: JsonObject, expected: JsonObject): readonly string[] {
  return Object.entries(expected).flatMap(([key, value]) => {
    const said = Object.hasOwn(found, key) ? found[key] : undefined;
    if (key !== 'tags' || !Array.isArray(value)) return jsonDifferences(said, value, key);
    const tags: readonly unknown[] = Array.isArray(said) ? said : [];
    return value.filter((tag: Json) => !tags.includes(tag)).map((tag: Json) => `tags lack ${JSON.stringify(tag)}`);
  });
}
