// Checks rules that imports cannot show: pure rooms use no clock, no random numbers and no `async`; no room uses `export *`; commands write through their
// terminal.
import { globSync, readFileSync } from 'node:fs';

const everywhere = [[/^export \*/m, 'export *: an index.ts must name its exports']];
const pure = [
  [/\bDate\.now\(/, 'Date.now(): a pure room must not read the clock'],
  [/\bnew Date\(\s*\)/, 'new Date(): a pure room must not read the clock'],
  [/\bperformance\.now\(/, 'performance.now(): a pure room must not read the clock'],
  [/\bMath\.random\(/, 'Math.random(): a pure room must not use random numbers'],
  [/\basync\b(?=\s*(function|\(|[A-Za-z_$]))/, 'async: a pure room must be synchronous'],
];
const commands = [
  [/\bprocess\.(stdout|stderr)\b/, 'process.stdout, process.stderr: a command writes through its terminal, which escapes data'],
  [/\bconsole\.\w/, 'console: a command writes through its terminal, which escapes data'],
  [/\b(print|printText)\(\s*(JSON\.stringify|canonicalJson)\(/, 'JSON must go through printJson, which keeps its values'],
];
// Exceptions: the terminal itself, the message before modules are loaded, the question which run is meant, and output of user code.
const outputFiles = new Set(['bin', 'choose-run', 'terminal', 'output', 'user-code'].map((name) => `src/cli/${name}.ts`));
const pureFiles = new Set([...globSync('schema/**/*.ts'), ...globSync('projections/**/*.ts'), 'src/scheduler/decide.ts']);

const rulesOf = (file) => [
  ...everywhere,
  ...(pureFiles.has(file) ? pure : []),
  ...(file.startsWith('src/cli/') && !outputFiles.has(file) ? commands : []),
];

let violations = 0;
for (const file of globSync('{schema,projections,src}/**/*.ts').sort()) {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, ' '));
  for (const [pattern, why] of rulesOf(file)) {
    const match = pattern.exec(text);
    if (!match) continue;
    violations++;
    console.error(`${file}:${text.slice(0, match.index).split('\n').length}: ${why}`);
  }
}
if (violations > 0) process.exit(1);
