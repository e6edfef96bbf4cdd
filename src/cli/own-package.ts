import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFolder, program } from '../engine/index.ts';
import { fileOf } from '../kit/module-graph.ts';
import { findPackage, packageOf, versionOf } from './packages.ts';
import { noteWriter } from './terminal.ts';

/** Folders of packages whose files are a pipeline's own; null stands for files outside of packages. */
const homes = new Set<string | null>([null]);
let isRegistered = false;
let isReported = false;

/**
 * Resolves `distilog`, `distilog/llm` and `distilog/testing` in this process to the copy that runs, for a pipeline's file and the files that it imports.
 * Installed packages keep the copy that Node finds for them. A folder that holds another version in `node_modules` is reported once on stderr.
 */
export function resolveOwnPackage(file: string): void {
  homes.add(packageOf(file)?.folder ?? null);
  if (isRegistered) return;
  isRegistered = true;
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const room = entries.get(specifier);
      const importer = room === undefined ? null : fileOf(context.parentURL);
      if (room === undefined || importer === null || !homes.has(packageOf(importer)?.folder ?? null))
        return nextResolve(specifier, context);
      reportOtherVersion(importer);
      const entry = entryFile(room);
      // Node takes a path where a file is required, and a URL where it is imported.
      return nextResolve(context.conditions.includes('require') ? entry : pathToFileURL(entry).href, context);
    },
  });
}

/** By name, the folder in `src` whose index it is. */
const entries: ReadonlyMap<string, string> = new Map([
  ['distilog', ''],
  ['distilog/llm', 'llm/'],
  ['distilog/testing', 'testing/'],
]);

/** Sources enter sources, and a build enters the build. */
const entryFile = (room: string): string => path.join(import.meta.dirname, '..', room, `index${path.extname(import.meta.filename)}`);

function reportOtherVersion(importer: string): void {
  if (isReported) return;
  const installed = findPackage('distilog', importer);
  if (installed === null || installed.folder === packageFolder()) return;
  const [theirs, ours] = [versionOf(installed), program().distilog];
  if (theirs === ours) return;
  isReported = true;
  noteWriter()(
    `${path.relative('', importer)} imports distilog, and ${path.relative('', installed.folder)} has version ${theirs}. This command uses its own: ${ours}.`,
  );
}
