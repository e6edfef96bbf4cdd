import fs from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '../kit/json.ts';
import { importingFiles, importsOf, isModule, type ImportedFile } from '../kit/module-graph.ts';
import { sha256 } from '../kit/sha256.ts';
import { packageFolder } from '../engine/index.ts';
import { loadedMax, type Loaded } from '../../schema/index.ts';
import { findPackage, packageOf, versionOf, type Package } from './packages.ts';

/** The code that was loaded with a pipeline's file. */
export interface LoadedCode {
  /** Absolute paths of the pipeline's own files, which are those outside of packages. */
  readonly files: readonly string[];
  readonly loaded: Loaded;
}

/**
 * Returns the code that a pipeline's file reached when it was loaded, as Node resolved it: its own files, and the packages that they import. Does not
 * follow distilog itself: its version is recorded separately, and its dependencies have exact versions.
 */
export function findLoadedCode(file: string): LoadedCode {
  const reached = followImports(file);
  const home = packageOf(file)?.folder;
  const isOwn = (each: string) => packageOf(each)?.folder === home || packageOf(each) === null;
  const files = [...reached.keys()].filter(isOwn).sort();
  const folder = path.dirname(file);
  const relative = (each: string) => path.relative(folder, each).split(path.sep).join('/');
  const imports = files.flatMap((from) =>
    (reached.get(from) ?? [])
      .filter(
        (imported) => isOwn(imported.file) && !isDistilog(imported.file) && !/^(\.{0,2}\/|file:|[A-Za-z]:[\\/])/.test(imported.specifier),
      )
      .map(({ specifier, file: to }) => ({ from: relative(from), name: specifier, to: relative(to) })),
  );
  return {
    files,
    loaded: boundLists(
      findPackages(
        [...reached.keys()].filter((each) => !isOwn(each)),
        files,
      ),
      imports,
    ),
  };
}

/** Returns the imports of each reached file, nearest files first. */
function followImports(root: string): ReadonlyMap<string, readonly ImportedFile[]> {
  const reached = new Map<string, readonly ImportedFile[]>();
  const byFolder = Map.groupBy(importingFiles(), (each) => path.dirname(each));
  const open = [root];
  // The array grows while it is iterated, so the nearest files come first.
  for (const next of open) {
    if (reached.has(next) || isDistilog(next)) continue;
    // CommonJS does not resolve a name again that another file of the folder has required before.
    const importers = isModule(next) || packageOf(next) === null ? [next] : (byFolder.get(path.dirname(next)) ?? []);
    const imports = importers.flatMap((each) => importsOf(each));
    reached.set(next, imports);
    for (const imported of imports) open.push(imported.file);
  }
  return reached;
}

/** Returns whether a file belongs to distilog: to its package or, in a clone of its repository, to a folder of its sources. */
function isDistilog(file: string): boolean {
  const [room] = path.relative(packageFolder(), file).split(path.sep);
  if (packageOf(file)?.folder === packageFolder()) return true;
  return packageOf(packageFolder() + path.sep) === null && ['dist', 'src', 'schema', 'projections'].includes(room ?? '');
}

type LoadedPackage = Loaded['packages'][number];

function findPackages(loadedFiles: readonly string[], ownFiles: readonly string[]): readonly LoadedPackage[] {
  const found = new Map<string, { readonly name: string; readonly version: string; readonly files: Map<string, string> }>();
  const versions = new Map<string, string>();
  const entryOf = (its: Package) => {
    const version = versions.get(its.folder) ?? versionOf(its);
    versions.set(its.folder, version);
    const key = `${its.name}@${version}`;
    const entry = found.get(key) ?? { name: its.name, version, files: new Map<string, string>() };
    found.set(key, entry);
    return entry;
  };
  for (const file of loadedFiles) {
    const its = packageOf(file);
    if (its) entryOf(its).files.set(path.relative(its.folder, file).split(path.sep).join('/'), hashOf(file));
  }
  for (const its of findNamedPackages(ownFiles)) entryOf(its);
  return Array.from(found.values(), ({ name, version, files }) => ({
    name,
    version,
    sha256: files.size === 0 ? null : sha256(canonicalJson([...files].sort(([a], [b]) => (a < b ? -1 : 1)))),
  }));
}

const latePattern = /\b(?:import|require)\s*\(\s*(['"])((?:@[\w.-]+\/)?[A-Za-z0-9][\w.-]*)(?:\/[^'"]*)?\1/g;

/** Finds packages that a file's text imports or requires by a call, because the call may not have run yet. */
function findNamedPackages(files: readonly string[]): readonly Package[] {
  return files
    .filter((file) => !file.endsWith('.json'))
    .flatMap((file) => {
      const names = new Set(Array.from(textOf(file).matchAll(latePattern), ([, , name = '']) => name));
      return [...names]
        .flatMap((name) => findPackage(name, file) ?? [])
        .filter(({ name, folder }) => packageOf(folder + path.sep) !== null && folder !== packageFolder() && name !== 'distilog');
    });
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function hashOf(file: string): string {
  try {
    return sha256(fs.readFileSync(file));
  } catch {
    return '';
  }
}

/** Lists the nearest packages and imports by name, and counts and hashes the others together. */
function boundLists(packages: readonly LoadedPackage[], imports: Loaded['imports']): Loaded {
  const byName = packages.slice(0, loadedMax).toSorted((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  const rest = [...packages.slice(loadedMax), ...imports.slice(loadedMax)].map((each) => canonicalJson(each)).sort();
  return {
    packages: byName,
    imports: imports.slice(0, loadedMax),
    more: rest.length > 0 ? { count: rest.length, sha256: sha256(rest.join('\n')) } : null,
  };
}
