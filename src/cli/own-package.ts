import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFolder, program } from '../engine/index.ts';
import { fileOf } from '../kit/module-graph.ts';
import { findPackage, packageOf, versionOf } from './packages.ts';
import { noteWriter } from './terminal.ts';

/** Folders of packages whose files belong to a pipeline. Null stands for files outside of packages. */
const homes = new Set<string | null>([null]);
let isRegistered = false;
let isReported = false;

/**
 * Resolves `distilog`, `distilog/llm` and `distilog/testing` in this process to the copy that runs, for a pipeline's file and the files that it imports.
 * Installed packages keep the copy that Node finds for them. Reports once on standard error if `node_modules` holds another version.
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
      // Node expects a path for `require`, and a URL for `import`.
      return nextResolve(context.conditions.includes('require') ? entry : pathToFileURL(entry).href, context);
    },
  });
}

/** Folder in `src` whose index each name resolves to. */
const entries: ReadonlyMap<string, string> = new Map([
  ['distilog', ''],
  ['distilog/llm', 'llm/'],
  ['distilog/testing', 'testing/'],
]);

/** Returns the entry in the sources if this file is a source, else the entry in the build. */
const entryFile = (room: string): string => path.join(import.meta.dirname, '..', room, `index${path.extname(import.meta.filename)}`);

function reportOtherVersion(importer: string): void {
  if (isReported) return;
  const installed = findPackage('distilog', importer);
  if (installed === null || installed.folder === packageFolder()) return;
  const [theirs, ours] = [versionOf(installed), program().distilog];
  if (theirs === ours) return;
  isReported = true;
  noteWriter()(
    `${path.relative('', importer)} imports distilog, and ${path.relative('', installed.folder)} has version ${theirs}. This command uses its own version, ${ours}.`,
  );
}
