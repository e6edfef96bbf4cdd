import fs from 'node:fs';
import path from 'node:path';

/** An installed package. */
export interface Package {
  readonly name: string;
  readonly folder: string;
}

/** Returns the installed package that a file belongs to, or null for a file outside of `node_modules`. */
export function packageOf(file: string): Package | null {
  const parts = file.split(path.sep);
  const at = parts.lastIndexOf('node_modules');
  if (at < 0 || at + 2 > parts.length - 1) return null;
  const words = parts[at + 1]?.startsWith('@') ? 2 : 1;
  const end = at + 1 + words;
  return end > parts.length - 1 ? null : { name: parts.slice(at + 1, end).join('/'), folder: parts.slice(0, end).join(path.sep) };
}

/** Returns the package that Node finds for a name in a file: the one in the nearest `node_modules` above it, or null. */
export function findPackage(name: string, from: string): Package | null {
  for (let folder = path.dirname(from); ; folder = path.dirname(folder)) {
    const found = path.join(folder, 'node_modules', name);
    if (fs.existsSync(path.join(found, 'package.json'))) return { name, folder: fs.realpathSync(found) };
    if (folder === path.dirname(folder)) return null;
  }
}

/** Returns the version in a package's package.json, or `unknown`. */
export function versionOf({ folder }: Package): string {
  try {
    const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as { readonly version?: unknown };
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
