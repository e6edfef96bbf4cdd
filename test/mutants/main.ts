// Makes small changes to the product, as a mistake might, and counts the changes that no test notices: npm run mutants -- [ROOM…]
// Earlier results are kept in mutants/, so that only changed code is tried again. docs/MUTANTS.md explains which mutants survive, and why.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { roomVariable, rooms } from './rooms.ts';

/** The percentage of mutants that tests must notice. */
const noticedMin = 85;

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(rooms);
const unknown = wanted.filter((name) => !Object.hasOwn(rooms, name));
if (unknown.length > 0) {
  console.error(`there is no room ${unknown.join(', ')}: there are ${Object.keys(rooms).join(', ')}`);
  process.exit(2);
}

const stryker = path.join(path.dirname(createRequire(import.meta.url).resolve('@stryker-mutator/core/package.json')), 'bin', 'stryker.js');
let failed = 0;
for (const name of wanted) {
  const env = { ...process.env, [roomVariable]: name };
  const { status } = spawnSync(process.execPath, [stryker, 'run', 'test/mutants/stryker.config.mjs'], { env, stdio: 'inherit' });
  const noticed = status === 0 ? noticedOf(`mutants/${name}-report.json`) : 0;
  console.log(`${noticed >= noticedMin ? 'held  ' : 'FAILED'} ${name.padEnd(12)} ${noticed.toFixed(1)} % of its mutants noticed`);
  if (noticed < noticedMin) failed++;
}
process.exit(failed === 0 ? 0 : 1);

/** Returns the percentage of a report's mutants that a test noticed. Mutants that do not load do not count. */
function noticedOf(file: string): number {
  const { files } = JSON.parse(fs.readFileSync(file, 'utf8')) as { files: Record<string, { mutants: { status: string }[] }> };
  const count = Map.groupBy(
    Object.values(files).flatMap(({ mutants }) => mutants),
    ({ status }) => status,
  );
  const of = (...statuses: readonly string[]) => statuses.reduce((sum, status) => sum + (count.get(status)?.length ?? 0), 0);
  const noticed = of('Killed', 'Timeout');
  return (100 * noticed) / (noticed + of('Survived', 'NoCoverage'));
}
