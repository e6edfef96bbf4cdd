// What imports cannot show: pure rooms read no clock, roll no dice, await nothing; no room lets everything out of its door.
import { globSync, readFileSync } from 'node:fs';

const everywhere = [[/^export \*/m, 'export *: a door names what it lets out']];
const pure = [
  [/\bDate\.now\(/, 'Date.now(): a pure room reads no clock'],
  [/\bnew Date\(\s*\)/, 'new Date(): a pure room reads no clock'],
  [/\bperformance\.now\(/, 'performance.now(): a pure room reads no clock'],
  [/\bMath\.random\(/, 'Math.random(): a pure room rolls no dice'],
  [/\basync\b(?=\s*(function|\(|[A-Za-z_$]))/, 'async: a pure room awaits nothing'],
];
const pureFiles = new Set([...globSync('schema/**/*.ts'), ...globSync('projections/**/*.ts'), 'src/scheduler/decide.ts']);

let found = 0;
for (const file of globSync('{schema,projections,src}/**/*.ts').sort()) {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, ' '));
  for (const [pattern, why] of pureFiles.has(file) ? [...everywhere, ...pure] : everywhere) {
    const match = pattern.exec(text);
    if (!match) continue;
    found++;
    console.error(`${file}:${text.slice(0, match.index).split('\n').length}: ${why}`);
  }
}
if (found > 0) process.exit(1);
