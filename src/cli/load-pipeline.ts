import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { codeOf, Fault, messageOf } from '#kit/fault';
import { isPipeline, type Pipeline } from '#pipeline';
import type { Definition } from '#schema';

export interface LoadedPipeline {
  readonly pipeline: Pipeline;
  /** As given. */
  readonly file: string;
  /** The file and what it imports locally, with paths relative to its folder. */
  readonly sources: Definition['sources'];
}

/** Loads a pipeline file: TypeScript or JavaScript, without a build step. Throws `Fault`s whose messages say what is wrong, where, and what to do. */
export async function loadPipeline(file: string): Promise<LoadedPipeline> {
  const full = path.resolve(file);
  const stat = fs.statSync(full, { throwIfNoEntry: false });
  if (!stat) throw new Fault('no-such-file', `There is no file ${file}. Give the path of a pipeline: distilog run pipeline.ts`);
  if (!stat.isFile()) throw new Fault('no-such-file', `${file} is a folder. Give the path of a pipeline file in it.`);
  const module = await importUserFile(full, file);
  return { pipeline: pipelineOf(module, file), file, sources: localSources(full) };
}

/** Node runs most TypeScript as it is; what it refuses (enums, parameter properties) goes through jiti. */
async function importUserFile(full: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(full).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!isForJiti(error)) throw loadFault(error, full, file);
  }
  try {
    return (await createJiti(import.meta.url, { moduleCache: false, fsCache: false }).import(full)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw loadFault(error, full, file);
  }
}

const isForJiti = (error: unknown): boolean =>
  /^ERR_(UNSUPPORTED_TYPESCRIPT_SYNTAX|UNKNOWN_FILE_EXTENSION)$/.test(codeOf(error) ?? '');

function loadFault(error: unknown, full: string, file: string): Fault {
  if (error instanceof Fault) return error;
  const isSyntax = error instanceof SyntaxError || codeOf(error) === 'ERR_INVALID_TYPESCRIPT_SYNTAX';
  const line = placeIn(error, full);
  const where = line === null ? file : `${file}:${line}`;
  const what = messageOf(error).split('\n')[0] ?? '';
  if (codeOf(error) === 'ERR_MODULE_NOT_FOUND')
    return new Fault('pipeline-not-loaded', `${where} imports what is not there: ${what}`, { cause: error });
  return new Fault('pipeline-not-loaded', isSyntax ? `${where} does not compile: ${what}` : `${where} threw while it was loaded: ${what}`, {
    cause: error,
  });
}

/** The first line of a user's file that a stack names. */
function placeIn(error: unknown, full: string): string | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const name of [pathToFileURL(full).href, full]) {
    const at = stack.indexOf(`${name}:`);
    const line = at < 0 ? undefined : /^\d+/.exec(stack.slice(at + name.length + 1))?.[0];
    if (line !== undefined) return line;
  }
  return null;
}

function pipelineOf(module: Readonly<Record<string, unknown>>, file: string): Pipeline {
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
  throw new Fault('no-pipeline', `${file} exports ${what}. Write: export default pipeline('name', ({ source }) => { … })`);
}

/** Files and bytes of a pipeline's own code that are recorded. */
const sourcesMax = 200;
const sourceBytesMax = 1024 * 1024;
const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])(\.{1,2}\/[^'"]+)\1/g;

function localSources(full: string): Definition['sources'] {
  const folder = path.dirname(full);
  const found = new Map<string, string>();
  const visit = (file: string): void => {
    if (found.has(file) || found.size >= sourcesMax) return;
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile() || stat.size > sourceBytesMax) return;
    const text = fs.readFileSync(file, 'utf8');
    found.set(file, text);
    for (const [, , specifier = ''] of text.matchAll(importPattern)) {
      const target = resolveLocal(path.dirname(file), specifier);
      if (target && !target.includes(`${path.sep}node_modules${path.sep}`)) visit(target);
    }
  };
  visit(full);
  return [...found]
    .map(([file, text]) => ({ path: path.relative(folder, file).split(path.sep).join('/'), text: text.toWellFormed() }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function resolveLocal(from: string, specifier: string): string | undefined {
  const exact = fileURLToPath(new URL(specifier, `${pathToFileURL(from).href}/`));
  const candidates = [
    exact,
    exact.replace(/\.js$/, '.ts'),
    ...['.ts', '.mts', '.js', '.mjs', '.json'].map((extension) => exact + extension),
    path.join(exact, 'index.ts'),
  ];
  return candidates.find((candidate) => fs.statSync(candidate, { throwIfNoEntry: false })?.isFile());
}
