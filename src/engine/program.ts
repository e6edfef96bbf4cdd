import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of distilog, and of the Node that runs it: recorded with a run, for a later version may write other bytes. */
export const program = (): { readonly distilog: string; readonly node: string } => ({
  distilog: packageVersion(),
  node: process.versions.node,
});

let version: string | undefined;

function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }).version;
  return version;
}

/** The folder of this program's package. */
export const packageFolder = (): string => path.dirname(packageFile());

/** The package's own package.json: beside `src` in the source tree, beside `dist` when it is built. */
function packageFile(): string {
  const isBuilt = import.meta.url.endsWith('.js');
  return fileURLToPath(new URL(isBuilt ? '../../../package.json' : '../../package.json', import.meta.url));
}
