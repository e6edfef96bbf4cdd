// Checks the packed tarball with publint and attw. Build first.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const folder = mkdtempSync(path.join(os.tmpdir(), 'distilog-pack-'));
const run = (command) => {
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8' });
  if (status !== 0) console.error(`${command}\n${stdout}${stderr}`);
  return status === 0;
};

const tarball = path.join(folder, 'distilog.tgz');
const isPacked = run(`npm pack --ignore-scripts --silent --pack-destination ${folder} && mv ${folder}/distilog-*.tgz ${tarball}`);
// The package has ES modules only, which `require` of Node.js 22 and newer loads, too.
const isSound = isPacked && [`publint run ${tarball} --strict`, `attw ${tarball} --profile esm-only --no-emoji`].map(run).every(Boolean);
rmSync(folder, { recursive: true, force: true });
process.exit(isSound ? 0 : 1);
