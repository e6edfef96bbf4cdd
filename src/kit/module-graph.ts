import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A module that is a file, as the modules know it that import it. */
export interface ImportedFile {
  /** As the import is written: `zod`, `#prompts`, `./rows.json`. */
  readonly specifier: string;
  /** Absolute. */
  readonly file: string;
}

/** By file, what it imports or requires: by specifier, what that led to. */
const graph = new Map<string, Map<string, string>>();
/** Files that are modules, not CommonJS. */
const modules = new Set<string>();
let recorders = 0;
let isRegistered = false;

/**
 * Records what every import and require of this process leads to, until the function that it returns is called. Modules that were loaded before are not
 * known: call it before anything else is loaded.
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

/** Returns the files that a file imported while modules were recorded, however it names them. */
export function importsOf(file: string): readonly ImportedFile[] {
  return Array.from(graph.get(file) ?? [], ([specifier, imported]) => ({ specifier, file: imported }));
}

/** Returns all files that import something, for those of CommonJS: Node looks a name up once for a folder, and tells only of the first file that requires it. */
export const importingFiles = (): Iterable<string> => graph.keys();

/** Returns whether a file was loaded as an ECMAScript module: then `importsOf` is complete for it. */
export const isModule = (file: string): boolean => modules.has(file);

/** Returns the absolute path of the file that a module's URL names, without its query; null for every other URL. */
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
      if (recorders > 0) note(specifier, context.parentURL, resolved);
      return resolved;
    },
  });
}

function note(
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
