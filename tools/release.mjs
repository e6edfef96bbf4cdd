// Refuses a release unless CHANGELOG.md has a heading for the version, and no changes under `Unreleased`.
import { readFileSync } from 'node:fs';

process.chdir(new URL('..', import.meta.url).pathname);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const [, ...sections] = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
const headings = sections.map((section) => section.split('\n', 1)[0]);
const unreleased = sections.find((section) => section.startsWith('[Unreleased]') || section.startsWith('Unreleased'));
const [newest] = headings.filter((heading) => /^\[?\d/.test(heading));
// Before `npm version`, package.json has the previous version. Before `npm publish`, it has the new one.
const isPublish = process.argv.includes('--publish');

if (/^\* |^- /m.test(unreleased ?? '')) refuse('CHANGELOG.md has changes under Unreleased. Name the heading: ## [1.2.3] - 2026-12-31.');
if (!newest || !/^\[\d+\.\d+\.\d+[^\]]*\] - \d{4}-\d\d-\d\d$/.test(newest))
  refuse('CHANGELOG.md has no heading such as ## [1.2.3] - 2026-12-31.');
if (isPublish && !newest.startsWith(`[${version}]`)) refuse(`CHANGELOG.md describes ${newest}, and package.json is version ${version}.`);

function refuse(sentence) {
  console.error(sentence);
  process.exit(1);
}
