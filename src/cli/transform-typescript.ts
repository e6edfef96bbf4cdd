import fs from 'node:fs';
import { registerHooks, setSourceMapsSupport, stripTypeScriptTypes } from 'node:module';
import { codeOf } from '../kit/fault.ts';
import { fileOf } from '../kit/module-graph.ts';
import { packageOf } from './packages.ts';

let isRegistered = false;

/**
 * Lets this process import TypeScript that is more than JavaScript with types: enums, namespaces, parameter properties. Node alone removes types and refuses
 * the rest. Installed packages are left to Node. Stacks name the lines of such a file as they are written.
 */
export function transformTypeScript(): void {
  if (isRegistered) return;
  isRegistered = true;
  // Node warns once in a process that the function is experimental: the caller mutes the warning now, and a late import would show it.
  stripTypeScriptTypes('');
  registerHooks({
    load: (url, context, nextLoad) => {
      const file = fileOf(url);
      if (file === null || !/\.[cm]?ts$/.test(file) || packageOf(file) !== null) return nextLoad(url, context);
      const text = textOf(file);
      const source = text === null || isErasable(text) ? null : transformed(text, url);
      if (text === null || source === null) return nextLoad(url, context);
      setSourceMapsSupport(true);
      return { format: formatOf(context.format, text), source, shortCircuit: true };
    },
  });
}

/** Returns whether a text is an ECMAScript module by what it says. A package without a `type` leaves the question to the text. */
export const isModuleText = (text: string): boolean => /^\s*(import|export)\b/m.test(text);

/** A missing file is Node's to report. */
function textOf(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Texts that do not compile count as erasable: Node reports them. */
function isErasable(text: string): boolean {
  try {
    stripTypeScriptTypes(text);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';
  }
}

/** Null where this Node transforms no TypeScript: it then refuses the file itself, with its line. */
function transformed(text: string, url: string): string | null {
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
