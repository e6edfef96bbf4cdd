import fs from 'node:fs';
import { registerHooks, setSourceMapsSupport, stripTypeScriptTypes } from 'node:module';
import { codeOf } from '../kit/fault.ts';
import { fileOf } from '../kit/module-graph.ts';
import { packageOf } from './packages.ts';

let isRegistered = false;

/**
 * Lets this process import TypeScript syntax that is more than types: enums, namespaces, parameter properties. Node alone only strips types and refuses the
 * rest. Installed packages are left to Node. Stack traces keep the line numbers of the source.
 */
export function transformTypeScript(): void {
  if (isRegistered) return;
  isRegistered = true;
  // Node warns once per process that the function is experimental. The caller mutes the warning now, and a later import would print it.
  stripTypeScriptTypes('');
  registerHooks({
    load: (url, context, nextLoad) => {
      const file = fileOf(url);
      if (file === null || !/\.[cm]?ts$/.test(file) || packageOf(file) !== null) return nextLoad(url, context);
      const text = textOf(file);
      const source = text === null || isErasable(text) ? null : transform(text, url);
      if (text === null || source === null) return nextLoad(url, context);
      setSourceMapsSupport(true);
      return { format: formatOf(context.format, text), source, shortCircuit: true };
    },
  });
}

/** Returns whether a text has the syntax of an ECMAScript module, which decides in a package without a `type`. */
export const isModuleText = (text: string): boolean => /^\s*(import|export)\b/m.test(text);

/** Returns a file's text, or null if it cannot be read, because Node reports that. */
function textOf(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Returns whether stripping types is enough. Returns true for texts that do not compile, because Node reports them. */
function isErasable(text: string): boolean {
  try {
    stripTypeScriptTypes(text);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';
  }
}

/** Transforms TypeScript to JavaScript. Returns null if this version of Node cannot, because Node then refuses the file and names the line. */
function transform(text: string, url: string): string | null {
  try {
    return stripTypeScriptTypes(text, { mode: 'transform', sourceMap: true, sourceUrl: url });
  } catch (error) {
    if (codeOf(error) === 'ERR_INVALID_ARG_VALUE') return null;
    throw error;
  }
}

function formatOf(given: string | null | undefined, text: string): 'module' | 'commonjs' {
  if (given?.startsWith('module')) return 'module';
  return given?.startsWith('commonjs') || !isModuleText(text) ? 'commonjs' : 'module';
}
