// Runs the tests. The last line has the test runner's counts: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

process.chdir(new URL('..', import.meta.url).pathname);
const folder = mkdtempSync(path.join(os.tmpdir(), 'distilog-test-'));
const report = path.join(folder, 'report.json');
const vitest = path.join(path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
try {
  counts = JSON.parse(readFileSync(report, 'utf8'));
} catch (error) {
  console.error(`The test runner wrote no report: ${error.message}`);
}
rmSync(folder, { recursive: true, force: true });
// Lists skipped tests, so that they are not mistaken for passed ones.
for (const { assertionResults = [] } of counts.testResults ?? [])
  for (const { fullName, status: outcome } of assertionResults)
    if (outcome === 'pending' || outcome === 'skipped' || outcome === 'todo') console.log(`skipped: ${fullName}`);
const skipped = counts.numPendingTests + counts.numTodoTests;
console.log(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(status === 0 && counts.numFailedTests === 0 && counts.numPassedTests > 0 ? 0 : 1);
