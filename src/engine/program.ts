import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Returns the versions of distilog and of the running Node. A run records them, because another version may write other bytes. */
export const program = (): { readonly distilog: string; readonly node: string } => ({
  distilog: packageVersion(),
  node: process.versions.node,
});

let version: string | undefined;

function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }).version;
  return version;
}

/** Returns the folder of this program's package. */
export const packageFolder = (): string => path.dirname(packageFile());

/** Returns the path of the package's package.json: next to `src` in the source tree, next to `dist` when it is built. */
function packageFile(): string {
  const isBuilt = import.meta.url.endsWith('.js');
  return fileURLToPath(new URL(isBuilt ? '../../../package.json' : '../../package.json', import.meta.url));
}
