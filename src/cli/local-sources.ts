import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { formatBytes } from '../kit/bytes.ts';
import { sha256, type Sha256 } from '../kit/sha256.ts';
import type { Definition } from '../../schema/index.ts';

/** Limits of files that are followed and of text bytes that are recorded, because one document of the log holds them all. */
const filesMax = 2_000;
const textBytesMax = 4 * 1024 * 1024;

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;
const extensions = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json'];

/** A source file as it is recorded, with the SHA-256 of its bytes. */
export interface HashedSource {
  readonly path: string;
  readonly text: string;
  readonly sha256: Sha256;
}

/** Reads a file and the files that it imports by relative paths, with paths relative to its folder. Texts beyond 4 MiB are replaced by their SHA-256. */
export const readLocalSources = (file: string): Definition['sources'] =>
  readHashedSources(file).map(({ path: name, text }) => ({ path: name, text }));

/** Reads the same files with their hashes, and also the files that were `loaded` by other names and what those import. */
export function readHashedSources(file: string, loaded: readonly string[] = []): readonly HashedSource[] {
  const folder = path.dirname(file);
  const found = new Map<string, Omit<HashedSource, 'path'>>();
  const open = [file, ...loaded];
  let bytes = 0;
  for (let next = open.pop(); next !== undefined && found.size < filesMax; next = open.pop()) {
    if (found.has(next)) continue;
    const read = fs.readFileSync(next);
    const text = read.toString('utf8');
    const size = Buffer.byteLength(text);
    const fits = bytes + size <= textBytesMax && extensions.includes(path.extname(next));
    if (fits) bytes += size;
    found.set(next, {
      text: fits ? text.toWellFormed() : `(left out: ${formatBytes(size)}, SHA-256 ${sha256(text)})`,
      sha256: sha256(read),
    });
    if (next.endsWith('.json') || !fits) continue;
    for (const [, , specifier = ''] of text.matchAll(importPattern)) {
      const imported = resolveImport(path.dirname(next), specifier, folder);
      if (imported !== undefined) open.push(imported);
    }
  }
  return [...found]
    .map(([each, source]) => ({ path: path.relative(folder, each).split(path.sep).join('/'), ...source }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Resolves a relative import to a file: as it is written, or with another ending, as compilers allow. */
function resolveImport(folder: string, specifier: string, root: string): string | undefined {
  const url = URL.parse(specifier, `${pathToFileURL(folder).href}/`);
  // Node refuses paths with an encoded slash or backslash, so such an import loads nothing.
  if (url === null || /%(2f|5c)/i.test(url.pathname)) return undefined;
  const exact = fileURLToPath(url);
  const candidates = [
    exact,
    exact.replace(/\.([cm]?)js$/, '.$1ts'),
    ...extensions.map((extension) => exact + extension),
    ...extensions.map((extension) => path.join(exact, `index${extension}`)),
  ];
  return candidates.find(
    (candidate) =>
      extensions.includes(path.extname(candidate)) &&
      !path.relative(root, candidate).split(path.sep).includes('node_modules') &&
      fs.statSync(candidate, { throwIfNoEntry: false })?.isFile(),
  );
}
