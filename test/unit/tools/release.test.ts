import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const tool = fileURLToPath(new URL('../../../tools/release.mjs', import.meta.url));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'distilog-release-'));
fs.mkdirSync(path.join(folder, 'tools'));
fs.copyFileSync(tool, path.join(folder, 'tools/release.mjs'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Runs the check of a release on a changelog. Returns the sentence that refuses it, or nothing. */
function release(changelog: string, version: string, ...args: readonly string[]): string {
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ version }));
  fs.writeFileSync(path.join(folder, 'CHANGELOG.md'), `# Changelog\n\n${changelog}`);
  return spawnSync(process.execPath, [path.join(folder, 'tools/release.mjs'), ...args], { encoding: 'utf8' }).stderr;
}

const named = '## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n* something\n';

describe('a release', () => {
  it('is refused while changes stand under Unreleased', () => {
    expect(release('## [Unreleased]\n\n### Added\n\n* something\n\n## [0.1.0] - 2026-11-30\n', '0.1.0')).toContain('under Unreleased');
  });

  it('is refused where no heading names a version and its date', () => {
    expect(release('## [0.2.0]\n\n* something\n', '0.1.0')).toContain('no heading');
  });

  it('passes once the changes are named', () => {
    expect(release(named, '0.1.0')).toBe('');
  });

  it('is not published where the newest heading names another version than the package has', () => {
    expect(release(named, '0.1.0', '--publish')).toContain('version 0.1.0');
    expect(release(named, '0.2.0', '--publish')).toBe('');
  });
});
