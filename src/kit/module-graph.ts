import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** An import of a module that is a file. */
export interface ImportedFile {
  /** As the import is written: `zod`, `#prompts`, `./rows.json`. */
  readonly specifier: string;
  /** Absolute. */
  readonly file: string;
}

/** By file, the files that it imports or requires, by specifier. */
const graph = new Map<string, Map<string, string>>();
/** Files that are modules, not CommonJS. */
const modules = new Set<string>();
let recorders = 0;
let isRegistered = false;

/**
 * Records which file every import and require of this process resolves to, until the returned function is called. Modules that were loaded before are not
 * known, so call it before anything else is loaded.
 */
export function recordModules(): () => void {
  register();
  recorders++;
  let isRecording = true;
  return () => {
    if (isRecording) recorders--;
    isRecording = false;
  };
}

/** Returns the files that a file imported while modules were recorded, by any form of name. */
export function importsOf(file: string): readonly ImportedFile[] {
  return Array.from(graph.get(file) ?? [], ([specifier, imported]) => ({ specifier, file: imported }));
}

/**
 * Returns all files that import something. Needed for CommonJS files: Node resolves a name once per folder, and reports only the first file that requires
 * it.
 */
export const importingFiles = (): Iterable<string> => graph.keys();

/** Returns whether a file was loaded as an ECMAScript module. If so, `importsOf` is complete for it. */
export const isModule = (file: string): boolean => modules.has(file);

/** Returns the absolute path of the file that a module's URL names, without its query, or null for any other URL. */
export function fileOf(url: string | undefined): string | null {
  if (!url?.startsWith('file:')) return null;
  try {
    return fileURLToPath(url.replace(/[?#].*$/, ''));
  } catch {
    return null;
  }
}

function register(): void {
  if (isRegistered) return;
  isRegistered = true;
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const resolved = nextResolve(specifier, context);
      if (recorders > 0) recordImport(specifier, context.parentURL, resolved);
      return resolved;
    },
  });
}

function recordImport(
  specifier: string,
  parent: string | undefined,
  { url, format }: { readonly url: string; readonly format?: string | null | undefined },
): void {
  const [from, to] = [fileOf(parent), fileOf(url)];
  if (to === null) return;
  if (format?.startsWith('module')) modules.add(to);
  if (from === null) return;
  const imports = graph.get(from) ?? new Map<string, string>();
  graph.set(from, imports);
  imports.set(specifier, to);
}
