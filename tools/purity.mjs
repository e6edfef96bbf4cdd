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
const commands = [
  [/\bprocess\.(stdout|stderr)\b/, 'process.stdout, process.stderr: a command writes through its terminal, which escapes data'],
  [/\bconsole\.\w/, 'console: a command writes through its terminal, which escapes data'],
  [/\b(print|printText)\(\s*(JSON\.stringify|canonicalJson)\(/, 'JSON goes through printJson, which leaves it as it is'],
];
// Apart from the terminal itself: a sentence of ours before anything is loaded, a question of ours, and what steps print.
const outputFiles = new Set(['bin', 'choose-run', 'terminal', 'output', 'user-code'].map((name) => `src/cli/${name}.ts`));
const pureFiles = new Set([...globSync('schema/**/*.ts'), ...globSync('projections/**/*.ts'), 'src/scheduler/decide.ts']);

const rulesOf = (file) => [
  ...everywhere,
  ...(pureFiles.has(file) ? pure : []),
  ...(file.startsWith('src/cli/') && !outputFiles.has(file) ? commands : []),
];

let found = 0;
for (const file of globSync('{schema,projections,src}/**/*.ts').sort()) {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, ' '));
  for (const [pattern, why] of rulesOf(file)) {
    const match = pattern.exec(text);
    if (!match) continue;
    found++;
    console.error(`${file}:${text.slice(0, match.index).split('\n').length}: ${why}`);
  }
}
if (found > 0) process.exit(1);
