import { canonicalJson, type Json } from '../../kit/json.ts';
import type { Replacements } from './parquet-columns.ts';

const stringPattern = /"(?:[^"\\]|\\.)*"/g;
const escapePattern = /\\(?:u(d[89a-f][0-9a-f]{2})|.)/g;

/**
 * Returns canonical JSON in which U+FFFD stands for each lone surrogate, and counts the texts that had one. Canonical JSON escapes lone surrogates, but DuckDB
 * and `datasets` refuse a file with such an escape.
 */
export function wellFormedJson(json: string, replaced: Replacements): string {
  if (!json.includes(String.raw`\ud`)) return json;
  let count = 0;
  const wellFormed = json.replaceAll(stringPattern, (text) => {
    const result = text.replaceAll(escapePattern, (escape, surrogate?: string) => (surrogate === undefined ? escape : '\uFFFD'));
    if (result !== text) count++;
    return result;
  });
  if (count === 0) return json;
  replaced.count += count;
  // Names may have another order now.
  return canonicalJson(JSON.parse(wellFormed) as Json);
}
