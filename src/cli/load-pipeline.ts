import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describeThrown, isInstance } from '../kit/describe-thrown.ts';
import { codeOf, Fault, isFault, messageOf } from '../kit/fault.ts';
import { isPipeline, type Pipeline } from '../pipeline/index.ts';
import { recordModules } from '../kit/module-graph.ts';
import type { Definition, Loaded } from '../../schema/index.ts';
import { findLoadedCode } from './loaded-code.ts';
import { readHashedSources, readLocalSources, type HashedSource } from './local-sources.ts';
import { resolveOwnPackage } from './own-package.ts';
import { findSyntaxErrorLine } from './syntax-line.ts';
import { transformTypeScript } from './transform-typescript.ts';

export interface LoadedPipeline {
  readonly pipeline: Pipeline;
  /** The path as the user gave it. */
  readonly file: string;
  /** The file and all local files that it imports by any kind of specifier, with paths relative to its folder. */
  readonly sources: Definition['sources'];
  /** The sources that 0.1.0 would have found: those imported by relative paths. */
  readonly relativeSources: Definition['sources'];
  /** The sources with their hashes. */
  readonly hashed: readonly HashedSource[];
  /** The packages and imports that were loaded with the file. */
  readonly loaded: Loaded;
}

/** Loads a pipeline file, TypeScript or JavaScript, without a build step. Throws `Fault`s whose messages say what is wrong, where, and what to do. */
export async function loadPipeline(file: string): Promise<LoadedPipeline> {
  const full = path.resolve(file);
  const stat = statOf(full, file);
  if (!stat) throw new Fault('no-such-file', `There is no file ${file}. Give the path of a pipeline: distilog run pipeline.ts`);
  if (!stat.isFile()) throw new Fault('no-such-file', `${file} is a folder. Give the path of a pipeline file in it.`);
  resolveOwnPackage(full);
  const restore = muteLoadWarnings();
  transformTypeScript();
  const stopRecording = recordModules();
  const module = await importUserFile(full, file).finally(() => {
    stopRecording();
    restore();
  });
  // The path as Node names it, with links followed.
  const { files, loaded } = findLoadedCode(fs.realpathSync(full));
  const hashed = readHashedSources(
    full,
    files.filter((each) => each !== fs.realpathSync(full)),
  );
  const sources = hashed.map(({ path: name, text }) => ({ path: name, text }));
  return { pipeline: findPipeline(module, file), file, sources, relativeSources: readLocalSources(full), hashed, loaded };
}

/** Returns the file's stats, or undefined if there is none. Throws a `Fault` if the path cannot be read or no file could have that name. */
function statOf(full: string, file: string): fs.Stats | undefined {
  try {
    return fs.statSync(full, { throwIfNoEntry: false });
  } catch (error) {
    const shown = file.length > shownNameMax ? `${file.slice(0, shownNameMax)}…` : file;
    throw new Fault(
      'no-such-file',
      `${shown} cannot be read (${String(codeOf(error))}). Give the path of a pipeline: distilog run pipeline.ts`,
      {
        cause: error,
      },
    );
  }
}

/** Characters of a file's name that a message repeats. */
const shownNameMax = 200;

/**
 * Mutes two of Node's warnings, which every command would print: one about a package.json without a `type`, although Node detects the pipeline's module
 * format, and one about the experimental function that strips types. Returns a function that restores the warnings.
 */
function muteLoadWarnings(): () => void {
  const { emitWarning } = process;
  process.emitWarning = ((...args: readonly unknown[]) => {
    const warning = args.map((each) => (typeof each === 'object' && each !== null && 'code' in each ? each.code : each)).join(' ');
    if (!/MODULE_TYPELESS_PACKAGE_JSON|stripTypeScriptTypes/.test(warning)) Reflect.apply(emitWarning, process, args);
  }) as typeof emitWarning;
  return () => {
    process.emitWarning = emitWarning;
  };
}

async function importUserFile(full: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(full).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw loadFault(error, full, file);
  }
}

function loadFault(error: unknown, full: string, file: string): Fault {
  if (isFault(error)) return error;
  if (/Cannot use import statement outside a module|Unexpected token 'export'/.test(messageOf(error)))
    return new Fault(
      'pipeline-not-loaded',
      `${file} is an ES module, but the package.json above it declares CommonJS. Run: npm pkg set type=module`,
      { cause: error },
    );
  const isSyntax = isInstance(error, SyntaxError) || codeOf(error) === 'ERR_INVALID_TYPESCRIPT_SYNTAX';
  if (codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION' && !extensions.includes(path.extname(full)))
    return new Fault(
      'pipeline-not-loaded',
      `${file} is not a TypeScript or JavaScript file. Give one that ends in ${extensions.join(', ')}.`,
    );
  const location = findPlace(error, full, file) ?? (isSyntax ? findSyntaxError(full, file) : null) ?? file;
  const reason = messageOf(error).split('\n')[0] ?? '';
  if (codeOf(error) === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return new Fault(
      'pipeline-not-loaded',
      `${location} has TypeScript syntax that this version of Node cannot run: ${reason}. Write a const object for an enum, a module for a namespace, a field for a parameter property.`,
      { cause: error },
    );
  if (codeOf(error) === 'ERR_MODULE_NOT_FOUND')
    return new Fault('pipeline-not-loaded', `${location} imports a module that does not exist: ${reason}`, { cause: error });
  return new Fault(
    'pipeline-not-loaded',
    isSyntax ? `${location} does not compile: ${reason}` : `${location} threw while it was loaded: ${reason}`,
    {
      cause: error,
    },
  );
}

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** Returns the first line of the pipeline's file that the stack names, else the first line of a local file that it imports. */
function findPlace(error: unknown, full: string, file: string): string | null {
  const own = new Set(readLocalSources(full).map(({ path: name }) => path.join(path.dirname(full), name)));
  const { stack } = describeThrown(error);
  const places = stack.split('\n').flatMap((line) => {
    const [, found = '', at = ''] = /(file:\/\/.+?|(?:\/|\b[A-Z]:\\).+?):(\d+)(?::\d+)?\)?$/.exec(line) ?? [];
    const name = found.startsWith('file:') ? fileURLToPath(found) : found;
    return own.has(name) ? [{ name, at }] : [];
  });
  const place = places.find(({ name }) => name === full) ?? places[0];
  return place ? `${displayPath(place.name, full, file)}:${place.at}` : null;
}

/** Finds the line at which a file of the pipeline does not compile, because V8's errors do not name it. */
function findSyntaxError(full: string, file: string): string | null {
  for (const { path: name } of readLocalSources(full)) {
    if (name.endsWith('.json')) continue;
    const filename = path.join(path.dirname(full), name);
    const line = findSyntaxErrorLine(filename);
    if (line !== null) return `${displayPath(filename, full, file)}:${line}`;
  }
  return null;
}

/** Returns a file's path relative to the path by which the user named the pipeline. */
const displayPath = (name: string, full: string, file: string): string =>
  name === full ? file : path.join(path.dirname(file), path.relative(path.dirname(full), name));

function findPipeline(module: Readonly<Record<string, unknown>>, file: string): Pipeline {
  if (isPipeline(module['default'])) return module['default'];
  const named = Object.entries(module).filter(([, value]) => isPipeline(value));
  const [only] = named;
  if (only && named.length === 1) return only[1] as Pipeline;
  const exported = Object.keys(module);
  const what =
    named.length > 1
      ? `several pipelines (${named.map(([name]) => name).join(', ')})`
      : exported.length > 0
        ? `no pipeline, only ${exported.join(', ')}`
        : 'nothing';
  const advice =
    named.length > 1 ? 'Make one of them the default export.' : "Write: export default pipeline('name', ({ source }) => { … })";
  throw new Fault('no-pipeline', `${file} exports ${what}. ${advice}`);
}
